/**
 * V8 code caches of modules, so that the second instance of a version in this process does not compile it again. Bounded
 * by bytes, least recently used first out. Never leaves the process: V8 does not verify what it is given.
 */
import type ivm from 'isolated-vm';

const MAX_BYTES = 64 * 1024 * 1024;
/** Below this, compiling is as quick as checking a cache. */
export const MIN_SOURCE_LENGTH = 4 * 1024;

interface CachedCode {
  readonly data: ivm.ExternalCopy<ArrayBuffer>;
  readonly bytes: number;
}

export class CodeCache {
  readonly #entries = new Map<string, CachedCode>();
  #bytes = 0;

  get(key: string): ivm.ExternalCopy<ArrayBuffer> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.data;
  }

  /** `sourceLength` stands for the size: a code cache is about as big as its source. */
  set(key: string, data: ivm.ExternalCopy<ArrayBuffer>, sourceLength: number): void {
    if (this.#entries.has(key)) return;
    this.#entries.set(key, { data, bytes: sourceLength });
    this.#bytes += sourceLength;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= MAX_BYTES) break;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
      entry.data.release();
    }
  }
}
