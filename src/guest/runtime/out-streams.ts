/** Out-streams: bodies that the guest makes and the host takes by credit (a response's, an upload's). */
import { HOST, OUT_STREAM_WINDOW } from '../abi.ts';
import { viewBytes } from '../bytes.ts';
import { exactBuffer, subarray } from '../fetch/bytes.ts';
import { type ByteStream, type Reader, streams } from '../streams/index.ts';
import { messageOf } from './describe.ts';
import { host, nextId } from './host.ts';
import { InStream } from './in-streams.ts';
import { SafeMap } from './intrinsics.ts';
import { beginPart, endPart, hold, release, reportFailure, type Invocation, type Resource } from './invocations.ts';

const CHUNK_BYTES = 64 * 1024; // largest single write: the host's frames are of this order

const open = new SafeMap<number, OutStream>();

/**
 * Pumps a source to the host, never beyond the credit. The invocation is kept open until the source has ended, has
 * failed or is no longer wanted.
 */
export class OutStream implements Resource {
  readonly id = nextId();
  readonly invocation: Invocation;
  /** Hears why the source failed. */
  onFailed: ((reason: unknown) => void) | undefined = undefined;
  readonly #source: InStream | Reader;
  #credit = OUT_STREAM_WINDOW;
  #pending: Uint8Array | undefined = undefined;
  #reading = false;
  #pumping = false;
  #ended = false;
  #closed = false;

  /** Locks a `ReadableStream` at once; nothing is written before `start`. */
  constructor(source: InStream | ByteStream, invocation: Invocation) {
    this.invocation = invocation;
    this.#source = source instanceof InStream ? source : streams().lock(source);
    open.set(this.id, this);
    hold(invocation, this);
    beginPart(invocation);
  }

  start(): void {
    this.#pump();
  }

  /** `bytes` more may be written, or -1: the peer takes no more. */
  grant(bytes: number): void {
    if (this.#closed) return;
    if (bytes < 0) {
      this.cancel(new TypeError('The receiver of the body has gone'));
      return;
    }
    this.#credit += bytes;
    this.#pump();
  }

  /** Nobody takes the body any more: its source is told so. */
  cancel(reason: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelSource(reason);
    this.#close();
  }

  /** The invocation is over: the source is left alone, so that no code of the tenant runs on. */
  drop(): void {
    if (!this.#closed) this.#close();
  }

  #pump(): void {
    this.#pumping = true;
    this.#pumpOn();
    this.#pumping = false;
  }

  #pumpOn(): void {
    while (!this.#closed) {
      if (this.#pending !== undefined) {
        if (this.#credit <= 0) return;
        this.#write(this.#pending);
        continue;
      }
      if (this.#ended) {
        host(HOST.end, this.id);
        this.#close();
        return;
      }
      // Reads ahead of the credit by one chunk at most: the source is asked only once the last chunk has left.
      if (this.#reading || this.#credit <= 0) return;
      this.#reading = true;
      this.#read();
      if (this.#reading) return;
    }
  }

  #write(bytes: Uint8Array): void {
    const length = bytes.byteLength;
    let size = length < CHUNK_BYTES ? length : CHUNK_BYTES;
    if (size > this.#credit) size = this.#credit;
    this.#credit -= size;
    this.#pending = size === length ? undefined : subarray(bytes, size, length);
    host(HOST.write, this.id, exactBuffer(bytes, size));
  }

  #read(): void {
    if (this.#source instanceof InStream) {
      this.#source.pull(false, (bytes, end, failure) => {
        this.#reading = false;
        if (this.#closed) return;
        if (failure !== undefined) {
          this.#fail(failure.reason);
          return;
        }
        this.#accept(bytes === undefined ? undefined : new Uint8Array(bytes));
        this.#ended = end;
        this.#resume();
      });
      return;
    }
    this.#source.read({
      chunk: (value) => {
        this.#reading = false;
        if (this.#closed) return;
        if (this.#accept(viewBytes(value))) this.#resume();
        else {
          const error = new TypeError('A body stream may only hold Uint8Array chunks');
          this.#cancelSource(error);
          this.#fail(error);
        }
      },
      close: () => {
        this.#reading = false;
        if (this.#closed) return;
        this.#ended = true;
        this.#resume();
      },
      error: (reason) => {
        this.#reading = false;
        if (!this.#closed) this.#fail(reason);
      },
    });
  }

  /** Goes on after a read, unless the pump that asked is still there and does so itself. */
  #resume(): void {
    if (!this.#pumping) this.#pump();
  }

  /** False when the chunk is none. */
  #accept(bytes: Uint8Array | undefined): boolean {
    if (bytes === undefined) return false;
    if (bytes.byteLength > 0) this.#pending = bytes;
    return true;
  }

  #fail(reason: unknown): void {
    host(HOST.fail, this.id, messageOf(reason));
    // Whoever listens tells the program of it.
    if (this.onFailed === undefined) reportFailure(this.invocation, reason);
    else this.onFailed(reason);
    this.#close();
  }

  #cancelSource(reason: unknown): void {
    if (this.#source instanceof InStream) this.#source.stop();
    else streams().cancelQuietly(this.#source, reason);
  }

  #close(): void {
    this.#closed = true;
    this.#pending = undefined;
    open.delete(this.id);
    release(this.invocation, this);
    endPart(this.invocation);
  }
}

export function findOutStream(id: number): OutStream | undefined {
  return open.get(id);
}
