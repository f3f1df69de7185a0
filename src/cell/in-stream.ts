/** A body on its way into an isolate. Held outside, within the exchange's window, until the guest asks for it. */
import { type Exchange, RESET_CODES } from '../channel/index.ts';
import { ENTER } from '../guest/abi.ts';
import { MAX_REQUEST_BODY_BYTES } from '../limits.ts';
import type { Instance } from './instance.ts';
import type { Invocation } from './invocation.ts';

const PULL_NEXT = 0;
const PULL_ALL = 1;
type Pull = typeof PULL_NEXT | typeof PULL_ALL;

const STATE = { more: 0, end: 1, failed: 2 } as const;

export class InStream {
  readonly id: number;
  readonly #instance: Instance;
  readonly #invocation: Invocation;
  readonly #exchange: Exchange;
  readonly #isDownload: boolean;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #failure: string | undefined;
  #pull: Pull | undefined;
  #stopped = false;
  /** Of a download: the guest wants no more, so that nothing follows of the exchange either. */
  onAbandoned: (() => void) | undefined;

  /** `isDownload`: the body of a response that the guest fetched; else of the request it answers. */
  constructor(
    id: number,
    instance: Instance,
    source: { invocation: Invocation; exchange: Exchange; isDownload: boolean },
  ) {
    this.id = id;
    this.#instance = instance;
    this.#invocation = source.invocation;
    this.#exchange = source.exchange;
    this.#isDownload = source.isDownload;
  }

  get invocation(): Invocation {
    return this.#invocation;
  }

  push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return;
    if (this.#stopped) {
      this.#exchange.grant(chunk.byteLength); // lets the peer finish; nobody keeps it
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    this.#instance.heldBytes += chunk.byteLength;
    if (this.#pull === PULL_ALL) {
      this.#exchange.grant(chunk.byteLength);
      if (this.#bytes > MAX_REQUEST_BODY_BYTES || this.#instance.heldBytes > this.#instance.maxHeldBytes) {
        this.fail('Cannot read the body at once: it is too long');
        this.stop();
        return;
      }
    }
    this.#answer();
  }

  end(): void {
    this.#ended = true;
    this.#answer();
  }

  fail(message: string): void {
    this.#failure = message;
    this.#take();
    this.#answer();
  }

  /** The guest asks for bytes. One question at a time; a second one replaces the first. */
  pull(all: boolean): void {
    if (this.#stopped) return;
    if (this.#pull === undefined) this.#invocation.outstanding++;
    this.#pull = all ? PULL_ALL : PULL_NEXT;
    if (all) this.#exchange.grant(this.#bytes);
    this.#answer();
  }

  /** The guest wants no more of it. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    // A client may finish what it sends, and still gets its answer; a server need not go on sending what nobody reads.
    if (!this.#isDownload) this.#exchange.grant(this.#bytes);
    else if (!this.#ended) {
      this.#exchange.reset(RESET_CODES.none, 'not wanted any more');
      this.onAbandoned?.();
    }
    this.#take();
    this.#settle();
    this.#instance.forgetInStream(this.id);
  }

  #answer(): void {
    if (this.#pull === undefined || this.#stopped) return;
    if (this.#failure !== undefined) {
      this.#deliver(undefined, STATE.failed, this.#failure);
    } else if (this.#ended) {
      this.#deliver(this.#take(), STATE.end);
    } else if (this.#pull === PULL_NEXT && this.#bytes > 0) {
      this.#exchange.grant(this.#bytes);
      this.#deliver(this.#take(), STATE.more);
    }
  }

  #deliver(bytes: Uint8Array | undefined, state: number, message?: string): void {
    this.#settle();
    if (state !== STATE.more) {
      this.#stopped = true;
      this.#instance.forgetInStream(this.id);
    }
    this.#instance.enter(this.#invocation, ENTER.chunk, this.id, bytes, state, message);
  }

  #settle(): void {
    if (this.#pull !== undefined) this.#invocation.outstanding--;
    this.#pull = undefined;
  }

  #take(): Uint8Array | undefined {
    const [first] = this.#chunks;
    const bytes = this.#chunks.length > 1 ? Buffer.concat(this.#chunks, this.#bytes) : first;
    this.#instance.heldBytes -= this.#bytes;
    this.#chunks = [];
    this.#bytes = 0;
    return bytes;
  }
}
