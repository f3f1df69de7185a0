/** `KeyObject`, and what is done with keys: signatures, encryption, agreement. */
import { ask } from '../../core.ts';
import { checkString, invalidArgType, invalidArgValue, nodeError } from '../errors.ts';
import { Buffer, type Bytes, call, settle, toBytes, toOutput } from './bytes.ts';
import { randomBytes } from './random.ts';

interface Parsed {
  readonly type: 'private' | 'public';
  readonly asymmetricKeyType: string;
  readonly details: { readonly namedCurve?: string; readonly modulusLength?: number; readonly publicExponent?: string };
  readonly der: string;
}

interface ExportOptions {
  readonly format?: string;
  readonly type?: string;
}

const MAKE = Symbol('make');

export class KeyObject {
  readonly type: 'private' | 'public' | 'secret';
  readonly #parsed: Parsed | undefined;
  readonly #bytes: Bytes;

  constructor(make: symbol, type: 'private' | 'public' | 'secret', material: Parsed | Bytes) {
    if (make !== MAKE) throw new TypeError('Illegal constructor');
    this.type = type;
    this.#parsed = material instanceof Uint8Array ? undefined : material;
    this.#bytes = material instanceof Uint8Array ? material : Buffer.from(material.der, 'base64');
  }

  get asymmetricKeyType(): string | undefined {
    return this.#parsed?.asymmetricKeyType;
  }

  get asymmetricKeyDetails(): object | undefined {
    if (this.#parsed === undefined) return undefined;
    const { publicExponent, ...details } = this.#parsed.details;
    return publicExponent === undefined ? details : { ...details, publicExponent: BigInt(publicExponent) };
  }

  get symmetricKeySize(): number | undefined {
    return this.#parsed === undefined ? this.#bytes.length : undefined;
  }

  /** For hashes and ciphers. */
  get secretBytes(): Bytes | undefined {
    return this.#parsed === undefined ? this.#bytes : undefined;
  }

  /** For questions to the host. */
  get der(): Bytes {
    return this.#bytes;
  }

  get [Symbol.toStringTag](): string {
    return 'KeyObject';
  }

  equals(other: unknown): boolean {
    if (!(other instanceof KeyObject)) throw invalidArgType('otherKeyObject', 'an instance of KeyObject', other);
    const [a, b] = [this.#bytes, other.#bytes];
    return this.type === other.type && a.length === b.length && a.every((byte, i) => byte === b[i]);
  }

  export(options: ExportOptions = {}): unknown {
    const { format } = options;
    if (this.#parsed === undefined) {
      if (format !== 'jwk') return Buffer.from(this.#bytes);
      return { kty: 'oct', k: toOutput(Buffer.from(this.#bytes), 'base64url') };
    }
    if (format !== 'jwk' && format !== 'pem' && format !== 'der') throw invalidArgValue('options.format', format);
    if ('cipher' in options)
      throw nodeError(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'Encrypted keys are not available here');
    const { value, bytes } = call('exportKey', { format, type: options.type, kind: this.type }, this.#bytes);
    return format === 'der' ? bytes : value;
  }
}

type Input = {
  readonly key?: unknown;
  readonly format?: string;
  readonly type?: string;
  readonly passphrase?: unknown;
};

function createKey(kind: 'private' | 'public', input: unknown): KeyObject {
  const options: Input =
    typeof input === 'object' && input !== null && !ArrayBuffer.isView(input) && !(input instanceof ArrayBuffer)
      ? input
      : { key: input };
  const { key, format = 'pem', type } = options;
  if (options.passphrase !== undefined) {
    throw nodeError(Error, 'ERR_METHOD_NOT_IMPLEMENTED', 'Encrypted keys are not available here');
  }
  if (key instanceof KeyObject) return createKey(kind, { key: key.der, format: 'der', type: 'pkcs8' });
  const material = format === 'jwk' ? Buffer.from(JSON.stringify(key)) : toBytes(key, 'key');
  const parsed = call('key', { kind, format, type }, material).value as Parsed;
  return new KeyObject(MAKE, kind, parsed);
}

export function createPrivateKey(input: unknown): KeyObject {
  return createKey('private', input);
}

export function createPublicKey(input: unknown): KeyObject {
  const key = input instanceof KeyObject ? input : (input as { key?: unknown } | undefined)?.key;
  if (key instanceof KeyObject && key.type === 'secret') {
    throw nodeError(
      TypeError,
      'ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE',
      'Invalid key object type secret, expected private.',
    );
  }
  return createKey('public', input instanceof KeyObject ? { key: input } : input);
}

export function createSecretKey(key: unknown, encoding?: string): KeyObject {
  return new KeyObject(MAKE, 'secret', toBytes(key, 'key', encoding).slice());
}

interface KeyOptions {
  readonly key: KeyObject;
  readonly padding?: number;
  readonly saltLength?: number;
  readonly dsaEncoding?: string;
  readonly oaepHash?: string;
  readonly oaepLabel?: unknown;
}

/** A key in any of the forms it may be given in: an object, a text, or with options. */
function toKeyOptions(input: unknown, kind: 'private' | 'public'): KeyOptions {
  if (input instanceof KeyObject) return { key: input };
  if (typeof input === 'string' || ArrayBuffer.isView(input) || input instanceof ArrayBuffer)
    return { key: createKey(kind, input) };
  if (typeof input !== 'object' || input === null) {
    throw invalidArgType(
      'key',
      'of type object or string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey',
      input,
    );
  }
  const options = input as KeyOptions & Input;
  return options.key instanceof KeyObject ? options : { ...options, key: createKey(kind, options) };
}

function signNow(algorithm: unknown, data: Bytes, input: unknown): Bytes {
  const { key, padding, saltLength, dsaEncoding } = toKeyOptions(input, 'private');
  const parameters = { algorithm: algorithm ?? undefined, kind: key.type, padding, saltLength, dsaEncoding };
  return call('sign', parameters, key.der, data).bytes;
}

function verifyNow(algorithm: unknown, data: Bytes, input: unknown, signature: Bytes): boolean {
  const { key, padding, saltLength, dsaEncoding } = toKeyOptions(input, 'public');
  const parameters = { algorithm: algorithm ?? undefined, kind: key.type, padding, saltLength, dsaEncoding };
  return call('sign', parameters, key.der, data, signature).value as boolean;
}

/** With a callback, the answer is given to it later. */
function maybeLater(work: () => unknown, callback: unknown): unknown {
  if (callback === undefined) return work();
  settle(Promise.resolve().then(work), callback);
  return undefined;
}

export function sign(algorithm: unknown, data: unknown, key: unknown, callback?: unknown): unknown {
  const bytes = toBytes(data, 'data');
  return maybeLater(() => signNow(algorithm, bytes, key), callback);
}

export function verify(
  algorithm: unknown,
  data: unknown,
  key: unknown,
  signature: unknown,
  callback?: unknown,
): unknown {
  const bytes = toBytes(data, 'data');
  return maybeLater(() => verifyNow(algorithm, bytes, key, toBytes(signature, 'signature')), callback);
}

class Message {
  readonly algorithm: string;
  #pieces: Bytes[] = [];

  constructor(algorithm: unknown) {
    checkString(algorithm, 'options');
    this.algorithm = algorithm;
  }

  update(data: unknown, encoding?: string): this {
    this.#pieces.push(toBytes(data, 'data', encoding).slice());
    return this;
  }

  write(data: unknown, encoding?: string): boolean {
    this.update(data, encoding);
    return true;
  }

  end(data?: unknown, encoding?: string): this {
    if (data !== undefined) this.update(data, encoding);
    return this;
  }

  protected take(): Bytes {
    return Buffer.concat(this.#pieces);
  }
}

export class Sign extends Message {
  sign(key: unknown, encoding?: unknown): unknown {
    return toOutput(signNow(this.algorithm, this.take(), key), encoding);
  }
}

export class Verify extends Message {
  verify(key: unknown, signature: unknown, encoding?: string): boolean {
    return verifyNow(this.algorithm, this.take(), key, toBytes(signature, 'signature', encoding));
  }
}

function crypt(input: unknown, data: unknown, decrypts: boolean): Bytes {
  const { key, padding, oaepHash, oaepLabel } = toKeyOptions(input, decrypts ? 'private' : 'public');
  const label = oaepLabel === undefined ? [] : [toBytes(oaepLabel, 'key.oaepLabel')];
  return call('encrypt', { decrypts, kind: key.type, padding, oaepHash }, key.der, toBytes(data, 'buffer'), ...label)
    .bytes;
}

export function publicEncrypt(key: unknown, data: unknown): Bytes {
  return crypt(key, data, false);
}

export function privateDecrypt(key: unknown, data: unknown): Bytes {
  return crypt(key, data, true);
}

export function diffieHellman({ privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }): Bytes {
  return call('agree', {}, privateKey.der, publicKey.der).bytes;
}

interface PairOptions extends Record<string, unknown> {
  readonly publicKeyEncoding?: ExportOptions;
  readonly privateKeyEncoding?: ExportOptions;
}

function toPair(value: unknown, options: PairOptions): { publicKey: unknown; privateKey: unknown } {
  const { publicKey, privateKey } = value as { publicKey: Parsed; privateKey: Parsed };
  const make = (parsed: Parsed, encoding: ExportOptions | undefined): unknown => {
    const key = new KeyObject(MAKE, parsed.type, parsed);
    return encoding === undefined ? key : key.export(encoding);
  };
  return {
    publicKey: make(publicKey, options.publicKeyEncoding),
    privateKey: make(privateKey, options.privateKeyEncoding),
  };
}

function toPairParameters(type: string, { modulusLength, publicExponent, namedCurve }: PairOptions): object {
  return { type, modulusLength, publicExponent, namedCurve };
}

export function generateKeyPairSync(type: string, options: PairOptions = {}): object {
  return toPair(call('keyPair', toPairParameters(type, options)).value, options);
}

export function generateKeyPair(type: string, options: PairOptions, callback: unknown): void {
  const made = ask('node-crypto.keyPair', toPairParameters(type, options)).then(({ value }) => toPair(value, options));
  const pair = made as Promise<{ publicKey: unknown; privateKey: unknown }>;
  const done = callback as (error: unknown, publicKey?: unknown, privateKey?: unknown) => void;
  settle(pair, (error: unknown, keys?: { publicKey: unknown; privateKey: unknown }) =>
    done(error, keys?.publicKey, keys?.privateKey),
  );
}

export function generateKeySync(type: string, { length }: { length: number }): KeyObject {
  if (type !== 'hmac' && type !== 'aes') throw invalidArgValue('type', type, 'must be a supported key type');
  return createSecretKey(randomBytes(length >> 3));
}

export function generateKey(type: string, options: { length: number }, callback: unknown): void {
  settle(
    Promise.resolve().then(() => generateKeySync(type, options)),
    callback,
  );
}
