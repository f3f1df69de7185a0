import { hash } from 'node:crypto';
import type { AssetFile } from '../assets/index.ts';
import { type OpenBlob, openBlobFile } from '../blob-file.ts';
import { ClockCache } from '../clock-cache.ts';
import type { Sha256 } from '../ids.ts';

const CACHE_BYTES = 64 * 1024 * 1024; // of all Workers' files in memory
const MAX_CACHED_BYTES = 1024 * 1024; // of one of them; larger ones are read as they are sent
const MAX_TEXT_BYTES = 4 * 1024; // above that, a copy into the head's string costs more than a second buffer in the write
const MAX_LOADING = 32; // files being read at once, a MiB each at most; further ones are sent piece by piece

/** Small files are text, of one byte a character: head and body then go out in one piece. */
export type CachedBody = string | Buffer;

/** The bytes of files: from memory, or piece by piece from the disk. */
export class AssetBodies {
  readonly #dir: string;
  readonly #cache = new ClockCache<Sha256, CachedBody>(CACHE_BYTES);
  readonly #loading = new Map<Sha256, Promise<CachedBody | undefined>>();

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** What is in memory. */
  get({ sha256 }: AssetFile): CachedBody | undefined {
    return this.#cache.get(sha256);
  }

  /** Keeps what `get` gave from being given up, until the function is called that this returns. */
  hold({ sha256 }: AssetFile): () => void {
    return this.#cache.hold(sha256);
  }

  /** Reads a file into memory. Undefined when it is not to be there: `open` it. */
  async load(file: AssetFile): Promise<CachedBody | undefined> {
    if (file.bytes > MAX_CACHED_BYTES) return undefined;
    let loading = this.#loading.get(file.sha256);
    if (loading === undefined) {
      if (this.#loading.size >= MAX_LOADING) return undefined;
      loading = this.#read(file).finally(() => this.#loading.delete(file.sha256));
      this.#loading.set(file.sha256, loading);
    }
    return loading;
  }

  /** Throws when it is not there, or has not the length that it should have. */
  async open({ sha256, bytes }: AssetFile): Promise<OpenBlob> {
    const blob = await openBlobFile(this.#dir, sha256);
    if (blob === undefined) throw new Error(`Cannot read blob ${sha256}: it is not there`);
    if (blob.bytes === bytes) return blob;
    await blob.close();
    throw new Error(`Cannot read blob ${sha256}: it has ${blob.bytes} bytes, and should have ${bytes}`);
  }

  async #read(file: AssetFile): Promise<CachedBody | undefined> {
    const blob = await this.open(file);
    try {
      const content = Buffer.from((await blob.read(0, file.bytes)).buffer, 0, file.bytes);
      if (hash('sha256', content, 'hex') !== file.sha256) {
        throw new Error(`Cannot read blob ${file.sha256}: its content has another hash`);
      }
      const body = file.bytes <= MAX_TEXT_BYTES ? content.toString('latin1') : content;
      return this.#cache.add(file.sha256, body, file.bytes) ? body : undefined;
    } finally {
      await blob.close();
    }
  }
}
