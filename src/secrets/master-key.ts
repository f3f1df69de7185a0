/**
 * The master key: it seals the accounts' data keys and nothing else.
 *
 * Keys are KeyObjects wherever they stay: outside the heap of JavaScript, not shown by an inspector, wiped when freed.
 */
import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { WrappedKey } from '../store/index.ts';
import { KEY_BYTES, seal, unseal } from './seal.ts';

const ID_HEX_DIGITS = 16; // enough to tell keys apart, and nothing to find the key by

type KeyOwner = Pick<WrappedKey, 'account' | 'id'>;

export class MasterKey {
  /** Tells keys apart; says nothing about the key. */
  readonly id: string;
  readonly #key: KeyObject;

  constructor(key: KeyObject) {
    this.#key = key;
    this.id = createHmac('sha256', key).update('isola master key id').digest('hex').slice(0, ID_HEX_DIGITS);
  }

  /** Seals a data key, so that it opens for this owner only. */
  wrap(dataKey: KeyObject, owner: KeyOwner): string {
    const plain = dataKey.export();
    try {
      return seal(this.#key, plain, contextOf(owner));
    } finally {
      plain.fill(0);
    }
  }

  /** Throws UnsealError. */
  unwrap({ wrapped, ...owner }: WrappedKey): KeyObject {
    return toKey(unseal(this.#key, wrapped, contextOf(owner)));
  }

  /** A key for another use, from which nobody gets back to this one. */
  derive(purpose: string): KeyObject {
    return toKey(Buffer.from(hkdfSync('sha256', this.#key, '', `isola ${purpose}`, KEY_BYTES)));
  }
}

/** Wipes the bytes. */
export function toKey(bytes: Buffer): KeyObject {
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}

function contextOf({ account, id }: KeyOwner): string[] {
  return ['data key', account, id];
}
