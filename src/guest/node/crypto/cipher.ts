/** `createCipheriv` and `createDecipheriv`. */
import { checkString, nodeError } from '../errors.ts';
import { Buffer, type Bytes, call, toBytes, toOutput } from './bytes.ts';
import { makeStreamed } from './streamed.ts';

const MAX_PIECE = 128 * 1024;
const NOTHING = new Uint8Array(0);

interface Options {
  readonly authTagLength?: number;
}

class Cipher {
  readonly #algorithm: string;
  readonly #parameters: object;
  readonly #key: Bytes;
  readonly #iv: Bytes;
  readonly #decrypts: boolean;
  readonly #tagBytes: number;
  #autoPadding = true;
  #id: number | undefined;
  #finished = false;
  #tag: Bytes | undefined;

  constructor({
    decrypts,
    algorithm,
    key,
    iv,
    options,
  }: {
    decrypts: boolean;
    algorithm: unknown;
    key: unknown;
    iv: unknown;
    options: Options | undefined;
  }) {
    checkString(algorithm, 'cipher');
    this.#algorithm = algorithm;
    this.#decrypts = decrypts;
    this.#key = toBytes(key, 'key').slice();
    this.#iv = iv === null ? NOTHING : toBytes(iv, 'iv').slice();
    this.#tagBytes = options?.authTagLength ?? 16;
    this.#parameters = { algorithm, decrypts, hasIv: iv !== null, authTagLength: options?.authTagLength };
    // A key or a cipher that is wrong is told of now.
    this.#open();
  }

  update(data: unknown, inputEncoding?: string, outputEncoding?: unknown): unknown {
    const bytes = toBytes(data, 'data', inputEncoding);
    const parts: Bytes[] = [];
    for (let at = 0; at === 0 || at < bytes.length; at += MAX_PIECE) {
      parts.push(call('update', { id: this.#live() }, bytes.subarray(at, at + MAX_PIECE)).bytes);
    }
    return toOutput(parts.length === 1 ? parts[0]! : Buffer.concat(parts), outputEncoding);
  }

  final(outputEncoding?: unknown): unknown {
    const id = this.#live();
    this.#finished = true;
    const wantsTag = !this.#decrypts && this.#authenticates();
    const { bytes } = call('final', { id, wantsTag });
    if (!wantsTag) return toOutput(bytes, outputEncoding);
    const end = bytes.length - this.#tagBytes;
    this.#tag = bytes.subarray(end);
    return toOutput(bytes.subarray(0, end), outputEncoding);
  }

  getAuthTag(): Bytes {
    if (this.#tag === undefined)
      throw nodeError(Error, 'ERR_CRYPTO_INVALID_STATE', 'Invalid state for operation getAuthTag');
    return this.#tag;
  }

  setAuthTag(tag: unknown, encoding?: string): this {
    call('setUp', { id: this.#live(), what: 'tag' }, toBytes(tag, 'buffer', encoding));
    return this;
  }

  setAAD(data: unknown, options?: { plaintextLength?: number }): this {
    call('setUp', { id: this.#live(), plaintextLength: options?.plaintextLength }, toBytes(data, 'buffer'));
    return this;
  }

  setAutoPadding(autoPadding: unknown = true): this {
    if (this.#autoPadding === Boolean(autoPadding)) return this;
    this.#autoPadding = Boolean(autoPadding);
    this.#open();
    return this;
  }

  #open(): void {
    const parameters = { ...this.#parameters, autoPadding: this.#autoPadding };
    if (this.#id !== undefined) call('close', { id: this.#id });
    this.#id = call('openCipher', parameters, this.#key, this.#iv).value as number;
  }

  #live(): number {
    if (this.#finished) throw nodeError(Error, 'ERR_CRYPTO_INVALID_STATE', 'Unsupported state');
    return this.#id!;
  }

  #authenticates(): boolean {
    return /gcm|poly1305/i.test(this.#algorithm);
  }
}

makeStreamed(Cipher as unknown as { prototype: Cipher }, (self) => ({
  transform(chunk, encoding, done) {
    done(null, self.update(chunk, encoding));
  },
  flush(done) {
    try {
      done(null, self.final());
    } catch (error) {
      done(error as Error);
    }
  },
}));

export class Cipheriv extends Cipher {
  constructor(algorithm: unknown, key: unknown, iv: unknown, options?: Options) {
    super({ decrypts: false, algorithm, key, iv, options });
  }
}

export class Decipheriv extends Cipher {
  constructor(algorithm: unknown, key: unknown, iv: unknown, options?: Options) {
    super({ decrypts: true, algorithm, key, iv, options });
  }
}
