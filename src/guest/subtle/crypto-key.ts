/** `CryptoKey`: what is public of a key. Its material never leaves the host, which knows it by a handle. */
import {
  defineInterface,
  jsonParse,
  objectDefineProperty,
  objectGetOwnPropertyDescriptor,
  stringSplit,
  typedArraySet,
} from '../core.ts';
import { isObject } from './convert.ts';
import { createHandle, type Handle } from './handles.ts';

/** A key as the host describes it. */
export interface KeyDescription {
  readonly id: number;
  readonly type: string;
  readonly extractable: boolean;
  /** As JSON, `publicExponent` as an array. */
  readonly algorithm: string;
  /** Joined by commas. */
  readonly usages: string;
  /** The host signs and verifies with it at once, when asked to. */
  readonly atOnce?: boolean;
}

const CREATE = Symbol('create');
let isKey: (value: object) => value is CryptoKey;
let handleOf: (key: CryptoKey) => Handle;
let descriptionOf: (key: CryptoKey) => KeyDescription;
let copyOf: (key: CryptoKey) => CryptoKey;

export class CryptoKey {
  readonly #handle: Handle;
  readonly #description: KeyDescription;
  #algorithm: object | undefined;
  #usages: readonly string[] | undefined;

  static {
    isKey = (value): value is CryptoKey => #handle in value;
    handleOf = (key) => key.#handle;
    descriptionOf = (key) => key.#description;
    copyOf = (key) => new CryptoKey(CREATE, key.#handle, key.#description);
  }

  constructor(create?: unknown, handle?: Handle, description?: KeyDescription) {
    if (create !== CREATE) throw new TypeError('Illegal constructor');
    this.#handle = handle!;
    this.#description = description!;
  }

  get type(): string {
    return this.#description.type;
  }

  get extractable(): boolean {
    return this.#description.extractable;
  }

  get algorithm(): object {
    this.#algorithm ??= parseAlgorithm(this.#description.algorithm);
    return this.#algorithm;
  }

  get usages(): readonly string[] {
    const { usages } = this.#description;
    this.#usages ??= usages === '' ? [] : stringSplit(usages, ',');
    return this.#usages;
  }
}
defineInterface(CryptoKey, 'CryptoKey', { constructor: 0 });

export function createKey(description: KeyDescription): CryptoKey {
  return new CryptoKey(CREATE, createHandle(description.id), description);
}

/** Web IDL's conversion to a CryptoKey. */
export function toCryptoKey(value: unknown, what: string): CryptoKey {
  if (isObject(value) && isKey(value)) return value;
  throw new TypeError(`${what} is not of type CryptoKey.`);
}

/** For `structuredClone`: a key of the same material; undefined when the value is not a key. */
export function cloneKey(value: object): CryptoKey | undefined {
  return isKey(value) ? copyOf(value) : undefined;
}

export function keyId(key: CryptoKey): number {
  return handleOf(key).id;
}

export function answersAtOnce(key: CryptoKey): boolean {
  return descriptionOf(key).atOnce === true;
}

function parseAlgorithm(json: string): object {
  const algorithm = jsonParse(json) as Record<string, unknown>;
  const exponent = objectGetOwnPropertyDescriptor(algorithm, 'publicExponent')?.value as number[] | undefined;
  if (exponent !== undefined) {
    const value = new Uint8Array(exponent.length);
    typedArraySet(value, exponent);
    objectDefineProperty(algorithm, 'publicExponent', { value, writable: true, enumerable: true, configurable: true });
  }
  return algorithm;
}
