/** `SubtleCrypto.supports` (WICG "Modern Algorithms"): what can be normalised here, the host judges. */
import { askSync, objectGetOwnPropertyDescriptor, requireArguments, toDOMString } from '../core.ts';
import { toInteger } from './convert.ts';
import { normalize, normalizeUse, toAlgorithmIdentifier } from './normalize.ts';
import { CryptoRequest } from './request.ts';

const CONTEXT = "Failed to execute 'supports' on 'SubtleCrypto'";
const MAX_BITS = 0xffffffff;

/** Operations by what their algorithm is normalised for, and what that of their third argument is. */
const OPERATIONS: Readonly<Record<string, readonly [operation: string, additional?: string]>> = {
  decapsulateBits: ['decapsulate'],
  decapsulateKey: ['decapsulate', 'importKey'],
  decrypt: ['decrypt'],
  deriveBits: ['deriveBits'],
  deriveKey: ['deriveBits', 'get key length'],
  digest: ['digest'],
  encapsulateBits: ['encapsulate'],
  encapsulateKey: ['encapsulate', 'importKey'],
  encrypt: ['encrypt'],
  exportKey: ['exportKey'],
  generateKey: ['generateKey'],
  getPublicKey: ['exportKey'],
  importKey: ['importKey'],
  sign: ['sign'],
  unwrapKey: ['unwrapKey', 'importKey'],
  verify: ['verify'],
  wrapKey: ['wrapKey', 'exportKey'],
};

export function supports(given: readonly unknown[]): boolean {
  requireArguments(given.length, 2, CONTEXT);
  const name = toDOMString(given[0]);
  const algorithm = toAlgorithmIdentifier(given[1]);
  const third = given.length > 2 && given[2] !== undefined ? given[2] : null;
  const known = objectGetOwnPropertyDescriptor(OPERATIONS, name)?.value as (typeof OPERATIONS)[string] | undefined;
  if (known === undefined) return false;
  const additional = known.length > 1 ? toAlgorithmIdentifier(third) : undefined;
  const length =
    name === 'deriveBits' && third !== null ? toInteger(third, MAX_BITS, `${CONTEXT}: 3rd argument`) : null;
  const request = new CryptoRequest();
  request.add(name);
  try {
    request.add(normalizeUse(request, algorithm, known[0]));
    request.add(additional === undefined ? length : normalize(request, additional, known[1]!));
  } catch {
    return false;
  }
  return askSync('crypto.supports', request.parameters, request.toBuffer()).value as boolean;
}
