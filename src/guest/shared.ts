/** What the core runtime, in the snapshot, has for the parts: see core.ts. */
export * from './primordials.ts';
export * from './runtime/intrinsics.ts';
export * from './webidl.ts';
export * from './bytes.ts';
export * from './blob/index.ts';
export { crypto, randomBytes } from './crypto.ts';
export * from './encoding/index.ts';
export { latin1Decode, unfinishedUtf8, utf8ToUnits } from './encoding/utf8.ts';
export type { TextKernel } from './encoding/kernel.ts';
export * from './events/index.ts';
export * from './fetch/index.ts';
export { type CustomInspect, format, inspect, inspectWith } from './inspect/index.ts';
export { exactBuffer } from './fetch/bytes.ts';
export { addHeader, getHeader } from './fetch/headers.ts';
export { isReadableStream, isStream, setStreams, streams } from './streams/index.ts';
export * from './url/index.ts';
export { parseUrlencoded } from './url/urlencoded.ts';
export { parseUrl } from './url/parse.ts';
export * from './clone.ts';
export { type Answer, ask, askSync } from './runtime/asks.ts';
export { type BuiltinExports, findBuiltin } from './runtime/builtins.ts';
export { sinceOrigin } from './runtime/clocks.ts';
export { type ExecutionContext, waitUntil } from './runtime/context.ts';
export { currentEnv } from './runtime/env.ts';
export { getCompatibilityDate, hasFlag } from './runtime/flags.ts';
export { bindFrame, currentFrame, setFrame, useFrames } from './runtime/frames.ts';
export { setHandlers } from './runtime/handlers.ts';
export { entryNumber, hostSync, nextId, now, send } from './runtime/host.ts';
export {
  beginPart,
  currentInvocation,
  endPart,
  hold,
  type Invocation,
  release,
  requireInvocation,
  type Resource,
  setCurrentInvocation,
} from './runtime/invocations.ts';
export { createResizable, transferBuffer } from './runtime/buffers.ts';
export { limits } from './runtime/limits.ts';
export { keep, take } from './runtime/modules.ts';
export { InStream } from './runtime/in-streams.ts';
export { defineLazy, loadAsset, loadPart } from './runtime/parts.ts';
export { clearTimer, startTimer } from './runtime/timers.ts';
export { instantiateOwn, instantiateUncounted, isTrap } from './runtime/wasm.ts';
export { loadNodeModule, nodeEnvironment } from './runtime/node-modules.ts';
export { replaceConstructor } from './runtime/replace.ts';
export { clearInterval, clearTimeout, setInterval, setTimeout } from './runtime/timers.ts';
