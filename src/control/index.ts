/**
 * The control API over HTTP: what wrangler and operators talk to. One file per resource.
 * Called by the supervisor, which gives it the stores and implements ControlPlatform; knows nothing of cells.
 * Promise: a deployment serves when its answer is sent; a refused request changed nothing; no error tells internals.
 * Start at control.ts; releases.ts is the life of a deploy.
 */
export { AccountLifecycle } from './account-lifecycle.ts';
export { AssetUploads } from './assets/index.ts';
export type { Authenticator, Identity } from './auth.ts';
export { BodyBudget } from './body-budget.ts';
export type { ControlDeps, ControlLog } from './context.ts';
export { createControl } from './control.ts';
export type { WorkerKey } from './names.ts';
export type { CheckResult, ControlPlatform, InstanceHeap, ScheduledResult, WorkerProfile } from './platform.ts';
export type { TxtResolver } from './ownership.ts';
export { Retention } from './retention.ts';
export { toRates } from './rate-limits.ts';
export { TokenAuthenticator } from './token-authenticator.ts';
