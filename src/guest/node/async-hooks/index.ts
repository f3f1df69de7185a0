/**
 * `node:async_hooks` and `node:diagnostics_channel`. Called by parts/node-async-hooks.ts.
 * Promise: a store is the same after `await`, in timers, microtasks and callbacks of streams; there are no async hooks.
 * Start at promises.ts.
 */
import { AsyncLocalStorage, AsyncResource } from './storage.ts';

export { diagnosticsChannel } from './diagnostics-channel.ts';
export { hold, installFrames, iterate } from './promises.ts';

export const asyncHooks = {
  AsyncLocalStorage,
  AsyncResource,
  asyncWrapProviders: {},
  createHook() {
    const hook = { enable: () => hook, disable: () => hook };
    return hook;
  },
  executionAsyncId: () => 0,
  executionAsyncResource: () => ({}),
  triggerAsyncId: () => 0,
};
