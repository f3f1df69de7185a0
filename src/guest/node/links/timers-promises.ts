/** `node:timers/promises` for packages inside other parts. */
export { timersPromises as default } from '../process/timers.ts';
