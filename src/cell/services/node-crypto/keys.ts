/** Keys as the guest sends them: DER that has been through `parseKey`, or what a program has. */
import { createPrivateKey, createPublicKey, type KeyObject, type webcrypto } from 'node:crypto';
import type { ServiceAnswer } from '../service.ts';
import { type Fields, toText } from './fields.ts';
import { MAX_KEY_BYTES, MAX_RSA_BITS } from './limits.ts';

const TYPES: ReadonlySet<unknown> = new Set(['rsa', 'rsa-pss', 'ec', 'ed25519', 'ed448', 'x25519', 'x448']);

/** Reads a key of any form, and answers what it is and its DER. A JWK is in `jwk`, everything else in the bytes. */
export function parseKey(fields: Fields, material: Uint8Array): ServiceAnswer {
  if (material.byteLength > MAX_KEY_BYTES) throw new RangeError(`The key has more than ${MAX_KEY_BYTES} bytes`);
  const kind = fields['kind'] === 'private' ? 'private' : 'public';
  const key = readAny(fields, material, kind);
  return describeKey(key);
}

export function describeKey(key: KeyObject): ServiceAnswer {
  checkKey(key);
  const { namedCurve, modulusLength, publicExponent } = key.asymmetricKeyDetails ?? {};
  const der = exportDer(key);
  return {
    value: {
      type: key.type,
      asymmetricKeyType: key.asymmetricKeyType,
      details: {
        namedCurve,
        modulusLength,
        ...(publicExponent !== undefined && { publicExponent: String(publicExponent) }),
      },
      der: der.toString('base64'),
    },
  };
}

export function exportDer(key: KeyObject): Buffer {
  return key.type === 'private'
    ? key.export({ format: 'der', type: 'pkcs8' })
    : key.export({ format: 'der', type: 'spki' });
}

/** A key that the guest got from `parseKey`. */
export function readDer(material: Uint8Array, kind: unknown): KeyObject {
  if (material.byteLength > MAX_KEY_BYTES) throw new RangeError(`The key has more than ${MAX_KEY_BYTES} bytes`);
  const key = Buffer.from(material);
  const read =
    kind === 'private'
      ? createPrivateKey({ key, format: 'der', type: 'pkcs8' })
      : createPublicKey({ key, format: 'der', type: 'spki' });
  checkKey(read);
  return read;
}

function readAny(fields: Fields, material: Uint8Array, kind: 'private' | 'public'): KeyObject {
  const { format } = fields;
  if (format === 'jwk') {
    const key = JSON.parse(Buffer.from(material).toString('utf8')) as webcrypto.JsonWebKey;
    const input = { key, format } as const;
    return kind === 'private' ? createPrivateKey(input) : createPublicKey(input);
  }
  const key = Buffer.from(material);
  if (format === 'der') {
    const type = toText(fields['type'], 'key type') as 'pkcs1';
    return kind === 'private' ? createPrivateKey({ key, format, type }) : createPublicKey({ key, format, type });
  }
  // A password would be stretched as often as the file says.
  if (key.includes('ENCRYPTED')) throw new TypeError('Encrypted keys are not available here');
  if (kind === 'private') return createPrivateKey({ key, format: 'pem' });
  return createPublicKey({ key, format: 'pem' }); // also of a private key, and of a certificate
}

function checkKey(key: KeyObject): void {
  const { asymmetricKeyType, asymmetricKeyDetails } = key;
  if (!TYPES.has(asymmetricKeyType))
    throw new TypeError(`Keys of type ${String(asymmetricKeyType)} are not available here`);
  const bits = asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits > MAX_RSA_BITS) throw new RangeError(`The key has ${bits} bits, the limit is ${MAX_RSA_BITS}`);
}
