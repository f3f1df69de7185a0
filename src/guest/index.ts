/**
 * The Web platform that runs inside each isolate, built to one script.
 * Called by the supervisor, which has it built and gives it to the cells; engine/ loads it into a snapshot. Its inside
 * knows nothing of the host but the ABI (abi.ts).
 * Promise: what a Worker can reach is the Workers API and nothing of the host; entries never throw on its account.
 * Start at bundle.ts, then runtime/boot.ts and runtime/enter.ts; fetch/ is what handlers see.
 */
export { buildGuest, type GuestScript, WARMUP } from './build/index.ts';
