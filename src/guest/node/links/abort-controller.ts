/** The runtime's own, in place of the package that readable-stream would bring for old runtimes. */
export { AbortController, AbortSignal } from '../../core.ts';
