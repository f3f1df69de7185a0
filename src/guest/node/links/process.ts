/** What packages inside other parts want of `process`. */
import { nextTick } from '../process/next-tick.ts';

const process = { nextTick, env: {}, emitWarning: (warning: unknown): void => console.warn(warning) };
export { nextTick, process };
export default process;
