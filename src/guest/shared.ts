/** What the core runtime, in the snapshot, has for the parts: see core.ts. */
export * from './primordials.ts';
export * from './runtime/intrinsics.ts';
export * from './webidl.ts';
export * from './bytes.ts';
export * from './blob/index.ts';
export * from './encoding/index.ts';
export * from './events/index.ts';
export * from './fetch/index.ts';
export { isReadableStream, isStream, setStreams, streams } from './streams/index.ts';
export * from './url/index.ts';
export { type Answer, ask, askSync } from './runtime/asks.ts';
export { now, send } from './runtime/host.ts';
export { currentInvocation, requireInvocation } from './runtime/invocations.ts';
export { defineLazy, loadPart } from './runtime/parts.ts';
