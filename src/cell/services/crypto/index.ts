/**
 * Web Crypto for guests (guest/subtle/): keys live here and are known to the isolate by a number, so what is not
 * extractable is out of reach of whatever runs in it. Called by services.ts.
 * Promise: an operation's cost is judged before it starts, charged to its invocation, and instances take turns.
 * Start at crypto-service.ts; cost.ts says what is refused.
 */
export { CryptoService } from './crypto-service.ts';
export { heavyLane } from './job-lanes.ts';
