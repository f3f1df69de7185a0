/**
 * `SubtleCrypto`: arguments converted as Web IDL says, algorithms normalised, the rest asked of the host. Its methods
 * differ in their arguments only, so those are a table.
 */
import { ask, askSync, defineInterface, objectDefineProperty, promiseReject, promiseResolve } from '../core.ts';
import { toResult } from './answer.ts';
import { emptyRecord, isObject } from './convert.ts';
import { freeHandles } from './handles.ts';
import { type Method, METHODS, requiredCount, toQuestion } from './signatures.ts';
import { supports } from './supports.ts';
import { timingSafeEqual } from './timing-safe-equal.ts';

const CREATE = Symbol('create');
let isSubtle: (value: unknown) => boolean;

export class SubtleCrypto {
  // oxlint-disable-next-line no-unused-private-class-members -- by it an instance is known
  #brand = true;

  static {
    isSubtle = (value) => isObject(value) && #brand in value;
  }

  constructor(create?: unknown) {
    if (create !== CREATE) throw new TypeError('Illegal constructor');
  }

  encrypt(...given: unknown[]): Promise<unknown> {
    return run(this, 'encrypt', given);
  }

  decrypt(...given: unknown[]): Promise<unknown> {
    return run(this, 'decrypt', given);
  }

  sign(...given: unknown[]): Promise<unknown> {
    return run(this, 'sign', given);
  }

  verify(...given: unknown[]): Promise<unknown> {
    return run(this, 'verify', given);
  }

  digest(...given: unknown[]): Promise<unknown> {
    return run(this, 'digest', given);
  }

  generateKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'generateKey', given);
  }

  deriveKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'deriveKey', given);
  }

  deriveBits(...given: unknown[]): Promise<unknown> {
    return run(this, 'deriveBits', given);
  }

  importKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'importKey', given);
  }

  exportKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'exportKey', given);
  }

  wrapKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'wrapKey', given);
  }

  unwrapKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'unwrapKey', given);
  }

  getPublicKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'getPublicKey', given);
  }

  encapsulateBits(...given: unknown[]): Promise<unknown> {
    return run(this, 'encapsulateBits', given);
  }

  encapsulateKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'encapsulateKey', given);
  }

  decapsulateBits(...given: unknown[]): Promise<unknown> {
    return run(this, 'decapsulateBits', given);
  }

  decapsulateKey(...given: unknown[]): Promise<unknown> {
    return run(this, 'decapsulateKey', given);
  }

  static supports(...given: unknown[]): boolean {
    if (this !== SubtleCrypto) throw new TypeError('Illegal invocation');
    return supports(given);
  }

  /** Not of the standard: compares in a time that depends on the length alone. */
  timingSafeEqual(a: unknown, b: unknown): boolean {
    if (!isSubtle(this)) throw new TypeError('Illegal invocation');
    return timingSafeEqual(a, b);
  }
}

const lengths = emptyRecord() as Record<string, number>;
for (let i = 0; i < METHODS.length; i++) lengths[METHODS[i]!] = requiredCount(METHODS[i]!);
lengths['constructor'] = 0;
lengths['supports'] = 2;
defineInterface(SubtleCrypto, 'SubtleCrypto', lengths);
objectDefineProperty(SubtleCrypto, 'supports', { enumerable: true });

export const subtle = new SubtleCrypto(CREATE);

function run(receiver: unknown, method: Method, given: readonly unknown[]): Promise<unknown> {
  try {
    if (!isSubtle(receiver)) throw new TypeError('Illegal invocation');
    const { request, atOnce } = toQuestion(method, given);
    freeHandles();
    const operation = `crypto.${method}`;
    if (atOnce) return promiseResolve(toResult(askSync(operation, request.parameters, request.toBuffer())));
    return ask(operation, request.parameters, request.toBuffer(), toResult);
  } catch (error) {
    return promiseReject(error);
  }
}
