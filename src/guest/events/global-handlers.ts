/** `onerror`, `onunhandledrejection` and `onrejectionhandled` of the global. */
import { objectDefineProperty, reflectApply } from '../primordials.ts';
import type { Event } from './event.ts';
import { type EventTarget, getHandler, setHandler } from './event-target.ts';
import { isErrorEvent } from './kinds.ts';

export function defineGlobalHandlers(global: object, target: EventTarget): void {
  let onError: object | null = null;
  const define = (name: string, get: () => object | null, set: (value: unknown) => void): void => {
    objectDefineProperty(global, `on${name}`, { get, set, enumerable: true, configurable: true });
  };
  for (const type of ['unhandledrejection', 'rejectionhandled']) {
    define(
      type,
      () => getHandler(target, type),
      (value) => setHandler(target, type, value),
    );
  }
  // HTML, 8.1.8.1: this one takes the fields of its event, and cancels it by answering true.
  define(
    'error',
    () => onError,
    (value) => {
      onError = typeof value === 'function' ? value : null;
      setHandler(target, 'error', onError === null ? null : callOnError);
    },
  );
  function callOnError(event: Event): void {
    if (!isErrorEvent(event)) {
      reflectApply(onError as () => unknown, global, [event]);
      return;
    }
    const { message, filename, lineno, colno, error } = event;
    const fields = [message, filename, lineno, colno, error];
    if (reflectApply(onError as () => unknown, global, fields) === true) event.preventDefault();
  }
}
