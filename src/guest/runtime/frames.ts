/**
 * The asynchronous context of the code that runs: what `AsyncLocalStorage` keeps (node/async-hooks/). One value, opaque
 * here, taken along by every callback that the runtime calls later. Nothing is taken along before somebody asks.
 */
import { reflectApply } from './intrinsics.ts';

let frame: unknown;
let used = false;

/** From here on callbacks carry the frame that they were given in. */
export function useFrames(): void {
  used = true;
}

export function currentFrame(): unknown {
  return frame;
}

export function setFrame(value: unknown): void {
  frame = value;
}

/** The function, to be called later in the present frame. */
export function bindFrame<T extends (...parameters: never[]) => unknown>(callback: T): T {
  if (!used) return callback;
  const bound = frame;
  return function (this: unknown, ...parameters: never[]): unknown {
    const before = frame;
    frame = bound;
    try {
      return reflectApply(callback, this, parameters);
    } finally {
      frame = before;
    }
  } as T;
}
