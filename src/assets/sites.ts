import { hash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ClockCache } from '../clock-cache.ts';
import type { Sha256 } from '../ids.ts';
import { parseManifest } from './manifest.ts';
import { Site } from './site.ts';

const CACHE_BYTES = 32 * 1024 * 1024; // of manifests; in memory they take some three times as much
const REST = 3; // a large manifest takes 20 ms to read: for each, three times that goes to other work first

/** Sites by their manifests' hashes. */
export class Sites {
  readonly #readBlob: (sha256: Sha256) => Promise<Uint8Array>;
  readonly #cache = new ClockCache<Sha256, Site>(CACHE_BYTES);
  readonly #loading = new Map<Sha256, Promise<Site>>();
  #queue: Promise<unknown> = Promise.resolve();

  /** `readBlob` rejects when there is no such blob. */
  constructor(readBlob: (sha256: Sha256) => Promise<Uint8Array>) {
    this.#readBlob = readBlob;
  }

  get(manifest: Sha256): Site | undefined {
    return this.#cache.get(manifest);
  }

  load(manifest: Sha256): Promise<Site> {
    let loading = this.#loading.get(manifest);
    if (loading === undefined) {
      loading = this.#read(manifest).finally(() => this.#loading.delete(manifest));
      this.#loading.set(manifest, loading);
    }
    return loading;
  }

  async #read(manifest: Sha256): Promise<Site> {
    const bytes = await this.#readBlob(manifest);
    const site = this.#queue.then(() => {
      const start = performance.now();
      const made = this.#make(manifest, bytes);
      return { made, restMs: REST * (performance.now() - start) };
    });
    // One after the other, so that whoever has many Workers with many files does not take all the time there is.
    this.#queue = site.then(({ restMs }) => (restMs < 1 ? undefined : delay(restMs))).catch(() => {});
    return (await site).made;
  }

  #make(manifest: Sha256, bytes: Uint8Array): Site {
    if (hash('sha256', bytes, 'hex') !== manifest) {
      throw new Error(`Cannot read manifest ${manifest}: its content has another hash`);
    }
    const site = new Site(parseManifest(bytes));
    this.#cache.add(manifest, site, bytes.byteLength);
    return site;
  }
}
