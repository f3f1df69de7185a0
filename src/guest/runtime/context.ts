/** `ctx`: what a handler may ask about its invocation. */
import { HOST } from '../abi.ts';
import { host } from './host.ts';
import { promiseThen, promiseResolve } from './intrinsics.ts';
import type { Invocation } from './invocations.ts';

let newContext: (invocation: Invocation) => ExecutionContext;
const BLANK = Symbol('blank'); // only the runtime makes contexts

export class ExecutionContext {
  #invocation!: Invocation;
  #props: object | undefined = undefined;

  constructor(key: unknown) {
    if (key !== BLANK) throw new TypeError('Illegal constructor');
  }

  get props(): object {
    this.#props ??= {};
    return this.#props;
  }

  /** Keeps the invocation open until the promise settles. A rejection is logged as an exception. */
  waitUntil(promise: unknown): void {
    const invocation = this.#invocation;
    if (invocation.closed) return;
    invocation.begin();
    const settled = (): void => {
      invocation.end();
    };
    const failed = (reason: unknown): void => {
      if (invocation.closed) return;
      invocation.report(reason);
      invocation.end();
    };
    try {
      void promiseThen(promiseResolve(promise), settled, failed);
    } catch (error) {
      failed(error);
    }
  }

  passThroughOnException(): void {
    if (!this.#invocation.closed) host(HOST.passThrough, this.#invocation.id);
  }

  static {
    newContext = (invocation) => {
      const context = new ExecutionContext(BLANK);
      context.#invocation = invocation;
      return context;
    };
  }
}

export const createContext = newContext;
