/**
 * What the lazily loaded parts (parts/) may use of the core runtime. They import it from here and from nowhere else, so
 * that there is one `EventTarget` and one table of invocations in an isolate; the build checks it.
 */
export * from './primordials.ts';
export * from './runtime/intrinsics.ts';
export * from './webidl.ts';
export * from './bytes.ts';
export * from './blob/index.ts';
export * from './encoding/index.ts';
export * from './events/index.ts';
export * from './fetch/index.ts';
export * from './streams.ts';
export * from './url/index.ts';
export { type Answer, ask, askSync } from './runtime/asks.ts';
export { now, send } from './runtime/host.ts';
export { currentInvocation, requireInvocation } from './runtime/invocations.ts';
export { defineLazy, loadPart } from './runtime/parts.ts';
