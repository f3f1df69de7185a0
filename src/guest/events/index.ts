/**
 * Events and abort signals: the DOM standard without a tree, and DOMException.
 * Called by fetch/, runtime/ and the other primitives. Knows nothing of the host: timers, the clock and the place
 * where exceptions are reported are put in at boot (hooks.ts).
 * Promise: a listener that throws stops nobody else; an abort reaches the runtime's own algorithms before any listener.
 * Start at event-target.ts.
 */
export {
  AbortController,
  AbortSignal,
  abortReason,
  addAbortAlgorithm,
  anySignal,
  createSignal,
  isAborted,
  isAbortSignal,
  SIGNAL_KEY,
  signalAbort,
} from './abort-signal.ts';
export { DOMException, isDOMException } from './dom-exception.ts';
export { Event, type EventInit, toInit as toEventInit } from './event.ts';
export {
  defineHandler,
  dispatchGlobal,
  dispatchTrusted,
  EventTarget,
  hasGlobalListeners,
  onFirstListener,
  setGlobalTarget,
  setHandler,
} from './event-target.ts';
export { reportError, setErrorReporter, setEventClock, setTimers } from './hooks.ts';
export { eventKinds, setEventKinds } from './kinds.ts';
export { defineGlobalHandlers } from './global-handlers.ts';
