/** Questions to the services of the host: crypto, compression and what else is better done outside the isolate. */
import { HOST, HOST_SYNC } from '../abi.ts';
import { DOMException } from '../events/index.ts';
import { host, hostSync, nextId } from './host.ts';
import { jsonParse, jsonStringify, NativePromise, SafeMap, stringIndexOf, stringSlice } from './intrinsics.ts';
import { hold, type Invocation, release, requireInvocation, type Resource } from './invocations.ts';
import { limits } from './limits.ts';

export interface Answer {
  /** Of the question's own kind: the service and its caller agree on it. */
  readonly value: unknown;
  readonly bytes: ArrayBuffer | undefined;
}

const asks = new SafeMap<number, Ask>();

/**
 * Asks `operation` (`service.name`). `bytes` is copied out. Resolves to what `toResult` makes of the answer, or to the
 * answer itself. Rejects with what the service says went wrong: an Error, a TypeError or RangeError, or a DOMException
 * of the name it gives. Never settles once its invocation is over.
 */
export function ask<T>(
  operation: string,
  parameters: unknown,
  bytes: ArrayBuffer | undefined,
  toResult: (answer: Answer) => T,
): Promise<T>;
export function ask(operation: string, parameters: unknown, bytes?: ArrayBuffer): Promise<Answer>;
export function ask(
  operation: string,
  parameters: unknown,
  bytes?: ArrayBuffer,
  toResult: (answer: Answer) => unknown = itself,
): Promise<unknown> {
  return new NativePromise((resolve, reject) => {
    const invocation = requireInvocation();
    if (asks.size >= limits.maxPendingHostCalls) {
      throw new Error(`Too many pending operations: a Worker may have ${limits.maxPendingHostCalls} at once`);
    }
    const { id } = new Ask(invocation, toResult, { resolve, reject });
    host(HOST.ask, id, invocation.id, operation, jsonStringify(parameters), bytes);
  });
}

/** The same for what a service can answer at once. Throws what it says went wrong. */
export function askSync(operation: string, parameters: unknown, bytes?: ArrayBuffer): Answer {
  const answer = hostSync(HOST_SYNC.ask, operation, jsonStringify(parameters), bytes);
  if (typeof answer !== 'string') return { value: undefined, bytes: answer as ArrayBuffer | undefined };
  if (answer[0] === '!') throw toError(stringSlice(answer, 1));
  return { value: jsonParse(answer), bytes: undefined };
}

export function findAsk(id: number): Ask | undefined {
  return asks.get(id);
}

interface Settle {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

class Ask implements Resource {
  readonly id = nextId();
  readonly invocation: Invocation;
  readonly #toResult: (answer: Answer) => unknown;
  readonly #settle: Settle;

  constructor(invocation: Invocation, toResult: (answer: Answer) => unknown, settle: Settle) {
    this.invocation = invocation;
    this.#toResult = toResult;
    this.#settle = settle;
    asks.set(this.id, this);
    hold(invocation, this);
  }

  deliver(ok: boolean, text: string, bytes: ArrayBuffer | undefined): void {
    this.drop();
    const { resolve, reject } = this.#settle;
    if (!ok) {
      reject(toError(text));
      return;
    }
    try {
      resolve(this.#toResult({ value: text === '' ? undefined : jsonParse(text), bytes }));
    } catch (error) {
      reject(error);
    }
  }

  drop(): void {
    asks.delete(this.id);
    release(this.invocation, this);
  }
}

function itself(answer: Answer): Answer {
  return answer;
}

function toError(text: string): unknown {
  const end = stringIndexOf(text, '\n');
  const name = stringSlice(text, 0, end);
  const message = stringSlice(text, end + 1);
  switch (name) {
    case 'Error':
      return new Error(message);
    case 'RangeError':
      return new RangeError(message);
    case 'TypeError':
      return new TypeError(message);
    default:
      return new DOMException(message, name);
  }
}
