/**
 * Events in, host calls out: boot, entries, invocations, streams, timers, clocks, console, hardening.
 * Called by bundle.ts. Knows the host by abi.ts only.
 * Promise: the host hears of each invocation's end exactly once; nothing of an invocation lives on after it.
 * Start at boot.ts, then enter.ts and invocations.ts; harden.ts for what tenants cannot do.
 */
export { boot } from './boot.ts';
export { installGlobals } from './global.ts';
export { preload } from './lazy-globals.ts';
