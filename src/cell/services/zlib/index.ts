/**
 * Compression for guests, on the zlib, brotli and zstd of Node: for CompressionStream, DecompressionStream, node:zlib.
 *
 * Operations:
 * - `open`, with what createCodec takes, and the bytes of a dictionary: answers an id.
 * - `write { id, flush }` with at most MAX_INPUT_BYTES: answers a Piece, output followed by a byte that says what is left
 *   to do. While that is `more`, the next is `write { id }` without bytes. `finish` frees the codec when all is written.
 * - `params { id, level, strategy }` of deflate, and `reset { id }`: answer nothing.
 * - `close { ids }`: frees them. Those that are not there are no error.
 *
 * Bad data is a TypeError whose message ends with the library's code in parentheses.
 *
 * Promise: no step makes more than one piece of output; the memory of all codecs counts as the instance's. A `write`
 * that is asked runs in the thread pool, no more than two of an instance at once; one that is asked at once is short.
 * Start at codec.ts.
 */
import { MAX_COMPRESSION_STREAMS } from '../../../limits.ts';
import { type Asker, type Holdings, type Service, type ServiceAnswer, ServiceError } from '../service.ts';
import { type Codec, CodecError, type Flush, type Piece, PIECE_BYTES, STATE } from './codec.ts';
import { createCodec } from './options.ts';

const MAX_INPUT_BYTES = 64 * 1024; // of one write: compressing so much takes 1 to 2 ms
// Below this, the way to the thread pool and back takes longer than the work (8 KiB by gzip: 0.33 ms against 0.15).
const MAX_SYNC_INPUT_BYTES = 16 * 1024;
const MAX_JOBS = 2; // of an instance in the thread pool, which has four threads for everybody
const FLUSHES: ReadonlySet<unknown> = new Set<Flush>(['finish', 'full', 'none', 'sync']);
const NOTHING = new Uint8Array(0);

interface Open {
  readonly codec: Codec;
  readonly compresses: boolean;
  readonly bytes: number;
  readonly heavy: boolean;
  readonly nsPerByte: number;
  finishing: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

export class ZlibService implements Service {
  readonly #holdings: Holdings;
  readonly #open = new Map<unknown, Open>();
  readonly #waiting: (() => void)[] = [];
  #jobs = 0;
  #lastId = 0;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  ask(
    operation: string,
    parameters: unknown,
    bytes: Uint8Array | undefined,
    asker: Asker,
  ): Promise<ServiceAnswer> | ServiceAnswer {
    return operation === 'write'
      ? this.#writePooled(toFields(parameters), bytes, asker)
      : this.askSync(operation, parameters, bytes);
  }

  askSync(operation: string, parameters: unknown, bytes: Uint8Array | undefined): ServiceAnswer {
    const fields = toFields(parameters);
    switch (operation) {
      case 'open':
        return { value: this.#create(parameters, bytes) };
      case 'write':
        return { bytes: this.#writeSync(fields, bytes) };
      case 'params':
        this.#idle(fields['id']).codec.params(toInteger(fields['level'], -1, 9), toInteger(fields['strategy'], 0, 4));
        return {};
      case 'reset':
        this.#idle(fields['id']).codec.reset();
        return {};
      case 'close':
        if (Array.isArray(fields['ids'])) for (const id of fields['ids']) this.#close(id);
        return {};
      default:
        throw new ServiceError('Error', 'There is no such operation');
    }
  }

  dispose(): void {
    for (const id of this.#open.keys()) this.#close(id);
  }

  #create(parameters: unknown, dictionary: Uint8Array | undefined): number {
    if (this.#open.size >= MAX_COMPRESSION_STREAMS) {
      throw new ServiceError(
        'Error',
        `Too many compression streams: a Worker may have ${MAX_COMPRESSION_STREAMS} open`,
      );
    }
    const made = createCodec(parameters, dictionary);
    if (this.#holdings.heldBytes + made.bytes > this.#holdings.maxHeldBytes) {
      made.codec.close();
      throw new ServiceError('Error', 'Too many compression streams: they would take more memory than the Worker has');
    }
    this.#holdings.heldBytes += made.bytes;
    const id = ++this.#lastId;
    this.#open.set(id, { ...made, finishing: false });
    return id;
  }

  #writeSync({ id, flush }: Fields, bytes: Uint8Array | undefined): Piece {
    const open = this.#idle(id);
    if (open.heavy) throw new ServiceError('Error', 'This compression is too slow to be waited for');
    feed(open, flush, bytes, MAX_SYNC_INPUT_BYTES);
    try {
      return this.#wrote(id, open, open.codec.stepSync());
    } catch (error) {
      throw this.#failed(id, open, error);
    }
  }

  async #writePooled({ id, flush }: Fields, bytes: Uint8Array | undefined, asker: Asker): Promise<ServiceAnswer> {
    const open = this.#idle(id);
    feed(open, flush, bytes, MAX_INPUT_BYTES);
    open.codec.running = true;
    if (this.#jobs >= MAX_JOBS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#jobs++;
    const startedAt = performance.now();
    try {
      if (this.#open.get(id) !== open || asker.finished)
        throw new ServiceError('Error', 'The compression stream was closed');
      const piece = this.#wrote(id, open, await open.codec.step());
      // Which thread of the pool it was is not known, so its clock cannot be read. The wall's counts no more than the work
      // can have taken: on a busy machine it is somebody else's time.
      const wallUs = (performance.now() - startedAt) * 1e3;
      return { bytes: piece, cpuUs: Math.min(wallUs, (open.nsPerByte * PIECE_BYTES) / 1e3) };
    } catch (error) {
      throw this.#failed(id, open, error);
    } finally {
      // Whoever waits takes over the place.
      const next = this.#waiting.shift();
      if (next === undefined) this.#jobs--;
      else next();
    }
  }

  #wrote(id: unknown, open: Open, piece: Piece): Piece {
    if (open.finishing && piece.at(-1) !== STATE.more) this.#close(id);
    return piece;
  }

  #failed(id: unknown, { compresses }: Open, error: unknown): unknown {
    this.#close(id);
    if (!(error instanceof CodecError)) return error;
    return new TypeError(`Cannot ${compresses ? 'compress' : 'decompress'}: ${error.message} (${error.code})`);
  }

  #idle(id: unknown): Open {
    const open = this.#open.get(id);
    if (open === undefined) throw new ServiceError('Error', 'The compression stream was closed');
    if (open.codec.running) throw new ServiceError('Error', 'The compression stream has work under way');
    return open;
  }

  #close(id: unknown): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    this.#holdings.heldBytes -= open.bytes;
    open.codec.close();
  }
}

function feed(open: Open, flush: unknown, bytes: Uint8Array | undefined, maxBytes: number): void {
  if (bytes === undefined && flush === undefined) return;
  const length = bytes?.byteLength ?? 0;
  if (open.codec.pending || length > maxBytes || !FLUSHES.has(flush)) {
    throw new ServiceError('Error', 'Cannot write: the chunk is too long, or the one before has not been used up');
  }
  open.codec.feed(bytes ?? NOTHING, flush as Flush);
  open.finishing = flush === 'finish';
}

function toFields(parameters: unknown): Fields {
  return typeof parameters === 'object' && parameters !== null ? (parameters as Fields) : {};
}

function toInteger(value: unknown, min: number, max: number): number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new RangeError(`The value ${String(value)} is out of range: allowed are ${min} to ${max}`);
  }
  return value as number;
}
