/** `createGzip` and its kin: transforms whose output waits for a reader. */
import { loadPart } from '../../core.ts';
import type * as parts from '../../parts/node-stream.ts';
import { Buffer, type Bytes } from '../crypto/bytes.ts';
import { Codec, type Flush, type Kind, toFinish, type ZlibOptions } from './codec.ts';

const { Transform } = (loadPart('node-stream') as typeof parts).stream;

type Done = (error?: Error | null) => void;

const FLUSHES: Readonly<Record<number, Flush>> = { 0: 'none', 1: 'sync', 2: 'sync', 3: 'full', 4: 'finish' };

export class ZlibStream extends Transform {
  bytesWritten = 0;
  readonly #codec: Codec;
  readonly #options: ZlibOptions;
  /** Chunks without bytes that stand for a flush. */
  readonly #flushes = new WeakMap<object, Flush>();
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(kind: Kind, options: ZlibOptions = {}) {
    super({ ...options, autoDestroy: true });
    this.#codec = new Codec(kind, options, false);
    this.#options = options;
  }

  override _transform(chunk: Bytes, _encoding: string, done: Done): void {
    const flush = this.#flushes.get(chunk) ?? 'none';
    this.bytesWritten += chunk.length;
    this.#run(chunk, flush, done);
  }

  override _flush(done: Done): void {
    this.#run(new Uint8Array(0), toFinish(this.#options), done);
  }

  override _read(size: number): void {
    const wake = this.#wake;
    this.#wake = undefined;
    if (wake === undefined) super._read(size);
    else wake();
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#codec.drop();
    this.#wake?.();
    super._destroy(error, done);
  }

  flush(...args: unknown[]): void {
    const done = args.pop();
    const [kind = 3] = args as [number?];
    const marker = Buffer.from(new ArrayBuffer(0), 0, 0);
    this.#flushes.set(marker, FLUSHES[kind] ?? 'sync');
    this.write(marker, typeof done === 'function' ? () => (done as () => void)() : undefined);
  }

  params(level: number, strategy: number, callback?: () => void): void {
    this.flush(2, () => {
      this.#codec.params(level, strategy);
      callback?.();
    });
  }

  reset(): void {
    this.#codec.reset();
  }

  close(callback?: () => void): void {
    if (callback !== undefined) this.once('close', callback);
    this.destroy();
  }

  /** What follows the end of the data is passed over. */
  #run(chunk: Bytes, flush: Flush, done: Done): void {
    if (this.#ended) return done();
    const take = (piece: Bytes): Promise<void> | undefined => {
      const isFull = !this.push(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
      if (!isFull || flush === 'finish') return undefined;
      return new Promise((resolve) => {
        this.#wake = resolve;
      });
    };
    this.#codec.run(chunk, flush, take).then(
      (goesOn) => {
        if (!goesOn) this.#ended = true;
        done();
      },
      (error: unknown) => done(error as Error),
    );
  }
}
