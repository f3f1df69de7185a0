/** `ctx`: what a handler may ask about its invocation. */
import { HOST } from '../abi.ts';
import { host } from './host.ts';
import { promiseThen, promiseResolve } from './intrinsics.ts';
import { beginPart, endPart, reportException, type Invocation } from './invocations.ts';

/** With this as its first argument, the runtime makes a context; nobody else can. */
export const CONTEXT = Symbol('context');

export class ExecutionContext {
  #invocation: Invocation;

  constructor(key: unknown, invocation: Invocation) {
    if (key !== CONTEXT) throw new TypeError('Illegal constructor');
    this.#invocation = invocation;
  }

  get props(): object {
    this.#invocation.props ??= {};
    return this.#invocation.props;
  }

  waitUntil(promise: unknown): void {
    waitUntil(this.#invocation, promise);
  }

  passThroughOnException(): void {
    if (!this.#invocation.closed) host(HOST.passThrough, this.#invocation.id);
  }
}

/** Keeps the invocation open until the promise settles. A rejection is logged as an exception. */
export function waitUntil(invocation: Invocation, promise: unknown): void {
  if (invocation.closed) return;
  beginPart(invocation);
  const settled = (): void => {
    endPart(invocation);
  };
  const failed = (reason: unknown): void => {
    if (invocation.closed) return;
    reportException(invocation, reason);
    endPart(invocation);
  };
  try {
    void promiseThen(promiseResolve(promise), settled, failed);
  } catch (error) {
    failed(error);
  }
}
