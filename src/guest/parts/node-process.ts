import { process } from '../node/process/process.ts';
import { clearImmediate, setImmediate, timers, timersPromises } from '../node/process/timers.ts';

export { clearImmediate, process, setImmediate };
export const modules = {
  process: () => process,
  timers: () => timers,
  'timers/promises': () => timersPromises,
};
