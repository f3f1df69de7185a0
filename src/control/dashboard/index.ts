/**
 * What the dashboard needs of the control port beyond the API that wrangler uses: its own files, who its token is, and a
 * request to a Worker as a visitor would send it.
 * Called by control.ts. Knows nothing of what the files hold: those are built from the folder dashboard/ at the top.
 * Promise: the pages run no code but their own, and a try reaches Workers of the account and nothing else.
 * Start at site.ts; tries.ts is the Try-it button.
 */
export { registerSession } from './session.ts';
export { registerDashboard } from './site.ts';
export { registerTries } from './tries.ts';
export type { GatewayAddress } from './visit.ts';
