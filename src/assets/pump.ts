import type { OpenBlob } from '../blob-file.ts';

const CHUNK_BYTES = 64 * 1024; // what a client that does not read holds in memory

export interface ByteSink {
  /** False: it has enough for now, and says so by `Pump.resume` when it takes more. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  /** The rest cannot be read. */
  fail(): void;
}

/** Sends bytes of a blob no faster than they are taken, and closes it, however that ends. */
export class Pump {
  readonly #blob: OpenBlob;
  readonly #sink: ByteSink;
  readonly #end: number;
  #at: number;
  #state: 'waiting' | 'reading' | 'over' = 'waiting';

  constructor(blob: OpenBlob, { start, end }: { start: number; end: number }, sink: ByteSink) {
    this.#blob = blob;
    this.#sink = sink;
    this.#at = start;
    this.#end = end;
  }

  /** Starts, or goes on after `write` was false. */
  resume(): void {
    if (this.#state === 'waiting') void this.#run();
  }

  /** Nobody wants the rest. */
  stop(): void {
    const isIdle = this.#state === 'waiting';
    this.#state = 'over';
    if (isIdle) void this.#blob.close();
  }

  async #run(): Promise<void> {
    this.#state = 'reading';
    const end = await this.#send();
    if (end === 'paused') return;
    this.#state = 'over';
    await this.#blob.close();
    if (end === 'sent') this.#sink.end();
    else if (end === 'failed') this.#sink.fail();
  }

  async #send(): Promise<'sent' | 'paused' | 'stopped' | 'failed'> {
    while (this.#at < this.#end) {
      const chunk = await this.#read();
      if (this.#isOver()) return 'stopped';
      if (chunk === undefined || chunk.byteLength === 0) return 'failed';
      this.#at += chunk.byteLength;
      if (this.#sink.write(chunk) || this.#at === this.#end) continue;
      this.#state = 'waiting';
      return 'paused';
    }
    return 'sent';
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      return await this.#blob.read(this.#at, Math.min(CHUNK_BYTES, this.#end - this.#at));
    } catch {
      return undefined;
    }
  }

  // A method, because the state changes while the caller awaits.
  #isOver(): boolean {
    return this.#state === 'over';
  }
}
