/** `process.nextTick`: a microtask, as in workerd. */
import { bindFrame, promiseResolve, promiseThen, reflectApply, reportError } from '../../core.ts';
import { checkFunction } from '../errors.ts';

export function nextTick(callback: unknown, ...args: unknown[]): void {
  checkFunction(callback, 'callback');
  const call = (): void => {
    try {
      reflectApply(callback, undefined, args);
    } catch (error) {
      reportError(error);
    }
  };
  void promiseThen(promiseResolve(undefined), bindFrame(call));
}
