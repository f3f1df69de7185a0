/** What an instance's isolate knows by a number only: its keys, and digests under way. */
import type { Hash, KeyObject, webcrypto } from 'node:crypto';
import { MAX_CRYPTO_HANDLES } from '../../../limits.ts';
import { type Holdings, ServiceError } from '../service.ts';

export interface KeyEntry {
  readonly kind: 'key';
  readonly key: webcrypto.CryptoKey;
  /** Of an HMAC key that was imported: what the synchronous functions of node:crypto take. */
  readonly secret: KeyObject | undefined;
}

export interface DigestEntry {
  readonly kind: 'digest';
  readonly hash: Hash;
}

type Entry = KeyEntry | DigestEntry;

const ENTRY_BYTES = 2_048; // what a key or the state of a hash takes, in OpenSSL and here; an RSA key takes twice that

export class Handles {
  readonly #holdings: Holdings;
  readonly #entries = new Map<number, Entry>();
  #lastId = 0;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  add(entry: Entry): number {
    this.reserve(1);
    const id = ++this.#lastId;
    this.#entries.set(id, entry);
    this.#holdings.heldBytes += ENTRY_BYTES;
    return id;
  }

  /** Throws unless so many more can be added. */
  reserve(count: number): void {
    if (count === 0 || this.#entries.size + count <= MAX_CRYPTO_HANDLES) return;
    throw new ServiceError(
      'QuotaExceededError',
      `Cannot keep another key: this instance has ${this.#entries.size} already, limit is ${MAX_CRYPTO_HANDLES}`,
    );
  }

  key(id: unknown): KeyEntry {
    const entry = this.#entries.get(id as number);
    if (entry?.kind !== 'key') throw new ServiceError('InvalidAccessError', 'The key is not available any more');
    return entry;
  }

  digest(id: unknown): DigestEntry {
    const entry = this.#entries.get(id as number);
    if (entry?.kind !== 'digest') throw new ServiceError('InvalidStateError', 'The digest is not available any more');
    return entry;
  }

  free(id: number): void {
    if (this.#entries.delete(id)) this.#holdings.heldBytes -= ENTRY_BYTES;
  }

  clear(): void {
    this.#holdings.heldBytes -= this.#entries.size * ENTRY_BYTES;
    this.#entries.clear();
  }
}
