/** `createHash` and `createHmac`: short messages are hashed in one question, longer ones piece by piece on the host. */
import { checkString, invalidArgType, nodeError } from '../errors.ts';
import { type Bytes, call, toBytes, toOutput } from './bytes.ts';
import { makeStreamed } from './streamed.ts';

/** Kept here until there is so much. */
const PIECE_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);

interface Kind {
  readonly algorithm: string;
  readonly key: Bytes | undefined;
  readonly outputLength: number | undefined;
}

class Digest {
  readonly #kind: Kind;
  #pieces: Bytes[] = [];
  #kept = 0;
  /** On the host, once there was too much to keep. */
  #id: number | undefined;
  #finished = false;

  constructor(kind: Kind, other?: Digest) {
    this.#kind = kind;
    if (other === undefined) return;
    this.#pieces = [...other.#pieces];
    this.#kept = other.#kept;
    if (other.#id !== undefined) this.#id = call('copy', { id: other.#id }).value as number;
  }

  update(data: unknown, encoding?: string): this {
    if (this.#finished) throw finalized('Digest already called');
    const bytes = toBytes(data, 'data', encoding);
    // A copy: the program may write over what it gave.
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) this.#keep(bytes.slice(at, at + PIECE_BYTES));
    return this;
  }

  digest(encoding?: unknown): unknown {
    if (this.#finished) throw finalized('Digest already called');
    this.#finished = true;
    if (this.#id === undefined) {
      return toOutput(call('digest', this.#parameters(), this.#key(), joined(this.#pieces)).bytes, encoding);
    }
    this.#send();
    return toOutput(call('final', { id: this.#id }).bytes, encoding);
  }

  get isFinished(): boolean {
    return this.#finished;
  }

  #keep(bytes: Bytes): void {
    if (this.#kept + bytes.length > PIECE_BYTES) this.#send();
    this.#pieces.push(bytes);
    this.#kept += bytes.length;
  }

  #send(): void {
    const data = joined(this.#pieces);
    if (this.#id === undefined) this.#id = call('openHash', this.#parameters(), this.#key(), data).value as number;
    else call('update', { id: this.#id }, data);
    this.#pieces = [];
    this.#kept = 0;
  }

  #parameters(): object {
    const { algorithm, key, outputLength } = this.#kind;
    return { algorithm, keyed: key !== undefined, outputLength };
  }

  #key(): Bytes {
    return this.#kind.key ?? NOTHING;
  }
}

function joined(pieces: readonly Bytes[]): Bytes {
  if (pieces.length === 1) return pieces[0]!;
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

function finalized(message: string): Error {
  return nodeError(Error, 'ERR_CRYPTO_HASH_FINALIZED', message);
}

const toStream = (self: Digest): object => ({
  transform(chunk: unknown, encoding: string, done: (error?: unknown) => void) {
    self.update(chunk, encoding);
    done();
  },
  flush(this: { push(chunk: unknown): void }, done: () => void) {
    this.push(self.digest());
    done();
  },
});

/** Unknown digests are told at once, as in Node. */
function checkAlgorithm(algorithm: string, outputLength?: number): void {
  if (known.has(algorithm)) return;
  call('digest', { algorithm, outputLength }, NOTHING, NOTHING);
  known.add(algorithm);
}
const known = new Set(['md5', 'sha1', 'sha256', 'sha384', 'sha512']);

export class Hash extends Digest {
  readonly #kind: Kind;

  constructor(algorithm: unknown, options?: { outputLength?: number }, other?: Hash) {
    checkString(algorithm, 'algorithm');
    const kind = { algorithm, key: undefined, outputLength: options?.outputLength };
    super(kind, other);
    this.#kind = kind;
    if (other === undefined) checkAlgorithm(algorithm, kind.outputLength);
  }

  copy(options?: { outputLength?: number }): Hash {
    if (this.isFinished) throw finalized('Digest already called');
    const { algorithm, outputLength } = this.#kind;
    return new Hash(algorithm, { ...(outputLength !== undefined && { outputLength }), ...options }, this);
  }
}

export class Hmac extends Digest {
  constructor(algorithm: unknown, key: unknown) {
    checkString(algorithm, 'hmac');
    if (key === undefined || key === null) {
      throw invalidArgType(
        'key',
        'of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey',
        key,
      );
    }
    super({ algorithm, key: toBytes(key, 'key').slice(), outputLength: undefined });
    if (!known.has(algorithm)) {
      try {
        checkAlgorithm(algorithm);
      } catch {
        throw nodeError(TypeError, 'ERR_CRYPTO_INVALID_DIGEST', `Invalid digest: ${algorithm}`);
      }
    }
  }
}

makeStreamed(Digest as unknown as { prototype: Digest }, toStream);

export function hash(algorithm: unknown, data: unknown, encoding: unknown = 'hex'): unknown {
  const output = typeof encoding === 'object' ? (encoding as { outputEncoding?: string }).outputEncoding : encoding;
  return new Hash(algorithm).update(data).digest(output ?? 'hex');
}
