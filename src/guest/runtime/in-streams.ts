/** In-streams: bodies that the host holds and the guest pulls (an incoming request's, a fetched response's). */
import { HOST } from '../abi.ts';
import { host } from './host.ts';
import { SafeMap } from './intrinsics.ts';
import { hold, release, type Invocation, type Resource } from './invocations.ts';

/** `failure` is the reason of a failed read: an error, or what the guest itself aborted with. */
export type PullCallback = (bytes: ArrayBuffer | undefined, end: boolean, failure: Failure | undefined) => void;
export interface Failure {
  readonly reason: unknown;
}

const open = new SafeMap<number, InStream>();

/** One stream of the host's. At most one pull is under way. */
export class InStream implements Resource {
  readonly id: number;
  readonly invocation: Invocation;
  ended = false;
  failure: Failure | undefined = undefined;
  #waiting: PullCallback | undefined = undefined;

  constructor(id: number, invocation: Invocation) {
    this.id = id;
    this.invocation = invocation;
    open.set(id, this);
    hold(invocation, this);
  }

  /** Asks for the next chunk, or (`whole`) for everything that is left as one. */
  pull(whole: boolean, callback: PullCallback): void {
    if (this.ended || this.failure !== undefined || this.#waiting !== undefined) {
      callback(
        undefined,
        this.failure === undefined,
        this.#waiting === undefined ? this.failure : failed('The body is being read'),
      );
      return;
    }
    this.#waiting = callback;
    host(HOST.pull, this.id, whole ? 1 : 0);
  }

  /** The guest takes no more. */
  stop(): void {
    if (this.ended || this.failure !== undefined) return;
    host(HOST.stop, this.id);
    this.#end(failed('The body was canceled'));
  }

  /** The guest takes no more, and who reads it is to fail with this reason. */
  abort(reason: unknown): void {
    if (this.ended || this.failure !== undefined) return;
    host(HOST.stop, this.id);
    this.#end({ reason });
  }

  /** The invocation is over: a reader that still waits is never woken, so that nothing of it runs on. */
  drop(): void {
    this.#waiting = undefined;
    if (!this.ended) this.failure ??= failed('The invocation is over');
    open.delete(this.id);
  }

  deliver(bytes: ArrayBuffer | undefined, state: number, message: string | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (state === 2) this.failure = failed(message ?? 'The body failed');
    if (state === 1) this.ended = true;
    if (state !== 0) {
      open.delete(this.id);
      release(this.invocation, this);
    }
    if (waiting !== undefined) waiting(bytes, state === 1, this.failure);
  }

  #end(failure: Failure): void {
    const waiting = this.#waiting;
    this.drop();
    this.failure = failure;
    release(this.invocation, this);
    if (waiting !== undefined) waiting(undefined, false, failure);
  }
}

export function findInStream(id: number): InStream | undefined {
  return open.get(id);
}

function failed(message: string): Failure {
  return { reason: new TypeError(message) };
}
