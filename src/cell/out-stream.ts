/** A body on its way out of an isolate. The guest writes within its credit, which comes back as the peer takes bytes. */
import { type Exchange, RESET_CODES } from '../channel/index.ts';
import { ENTER, OUT_STREAM_WINDOW } from '../guest/abi.ts';
import type { Instance } from './instance.ts';
import type { Invocation } from './invocation.ts';

const CREDIT_BATCH = OUT_STREAM_WINDOW / 2; // one entry for several chunks, while the guest still has half its window

export class OutStream {
  readonly id: number;
  readonly invocation: Invocation;
  readonly #instance: Instance;
  #exchange: Exchange | undefined;
  #early: (string | Uint8Array)[] = [];
  #earlyEnd = false;
  #owed = 0;
  #debt = 0;
  #blocked = false;
  /** Of an upload: its source failed, and with it the fetch. */
  onFailed: (() => void) | undefined;

  constructor(id: number, instance: Instance, invocation: Invocation, exchange: Exchange | undefined) {
    this.id = id;
    this.#instance = instance;
    this.invocation = invocation;
    this.#exchange = exchange;
  }

  /** Bytes wait for the peer, who will wake the guest. */
  get blocked(): boolean {
    return this.#blocked;
  }

  /** The exchange is open now; what the guest wrote before goes first. */
  connect(exchange: Exchange): void {
    this.#exchange = exchange;
    for (const chunk of this.#early.splice(0)) this.#send(exchange, chunk);
    if (this.#earlyEnd) exchange.end();
  }

  write(chunk: string | Uint8Array): void {
    const bytes = typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength;
    if (bytes === 0) return; // it would wait here, and count for nothing
    this.#debt += bytes;
    this.#owed += bytes;
    // The guest runtime keeps within its window; if it does not, it is no longer ours.
    if (this.#debt > 2 * OUT_STREAM_WINDOW) {
      this.invocation.finish('internalError');
      return;
    }
    if (this.#exchange === undefined) this.#early.push(chunk);
    else this.#send(this.#exchange, chunk);
  }

  end(): void {
    this.#instance.forgetOutStream(this.id);
    if (this.#isResponse) this.invocation.onAnswered();
    if (this.#exchange === undefined) this.#earlyEnd = true;
    else this.#exchange.end();
  }

  fail(): void {
    this.#instance.forgetOutStream(this.id);
    this.#exchange?.reset(RESET_CODES.internal, 'the body stream of the Worker failed');
    this.onFailed?.();
    if (this.#isResponse) this.invocation.onAnswered();
  }

  /** Everything written has been sent. */
  drained(): void {
    this.#blocked = false;
    this.#repay(true);
  }

  /** The peer takes no more. */
  refuse(): void {
    this.#instance.forgetOutStream(this.id);
    this.#instance.enter(this.invocation, ENTER.credit, this.id, -1);
  }

  get #isResponse(): boolean {
    return this.#exchange !== undefined && this.#exchange === this.invocation.exchange;
  }

  #send(exchange: Exchange, chunk: string | Uint8Array): void {
    if (exchange.write(chunk)) this.#repay(false);
    else this.#blocked = true;
  }

  #repay(drained: boolean): void {
    if (this.#owed === 0 || (!drained && this.#owed < CREDIT_BATCH)) return;
    const bytes = this.#owed;
    this.#owed = 0;
    this.#debt -= bytes;
    this.#instance.enter(this.invocation, ENTER.credit, this.id, bytes);
  }
}
