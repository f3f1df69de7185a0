import { hash, randomUUID } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { blobPath, openBlobFile, type OpenBlob } from '../../blob-file.ts';
import type { Sha256 } from '../../ids.ts';
import type { Blobs } from '../blobs.ts';
import { BlobHolds } from './blob-holds.ts';

const PARALLEL_WRITES = 16; // libuv has 4 threads; more queued calls let one journal commit carry several fsyncs
const SMALL_BYTES = 64 * 1024;
const TEMPORARY_FOLDER = 'tmp';
const REMOVED_AT_ONCE = 64; // a put of one of them waits for all
const SHARD = /^[0-9a-f]{2}$/;
const HASH = /^[0-9a-f]{64}$/;

/**
 * Blobs as files `<dir>/<first two hex digits>/<sha256>`.
 *
 * A file is written under `tmp/`, fsynced and renamed: under its final name it is whole or absent, whatever kills the
 * process. Left-over temporary files go at the next opening, so one process at a time owns the folder.
 */
export function openFileBlobs(dir: string): Blobs {
  const temporary = join(dir, TEMPORARY_FOLDER);
  mkdirSync(temporary, { recursive: true });
  for (const name of readdirSync(temporary)) rmSync(join(temporary, name), { force: true });
  return new FileBlobs(dir, temporary);
}

class FileBlobs implements Blobs {
  #dir: string;
  #temporary: string;
  #shards = new Set<string>(); // known to exist, durably
  readonly #holds = new BlobHolds();
  readonly #removing = new Map<Sha256, Promise<void>>();

  constructor(dir: string, temporary: string) {
    this.#dir = dir;
    this.#temporary = temporary;
  }

  async put(bytes: Uint8Array): Promise<Sha256> {
    const sha256 = hashOf(bytes);
    await syncFolder(await this.#write(sha256, bytes));
    return sha256;
  }

  async putMany(contents: readonly Uint8Array[]): Promise<Sha256[]> {
    const hashes = contents.map(hashOf);
    const distinct = [...new Map(hashes.map((sha256, i) => [sha256, contents[i]!]))];
    const changedShards = new Set<string>();
    const takeTurns = async (): Promise<void> => {
      for (let next = distinct.pop(); next !== undefined; next = distinct.pop()) {
        changedShards.add(await this.#write(...next));
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_WRITES }, takeTurns));
    await Promise.all([...changedShards].map(syncFolder));
    return hashes;
  }

  async get(sha256: Sha256): Promise<Uint8Array | undefined> {
    const path = blobPath(this.#dir, sha256);
    const bytes = readSmall(path) ?? (await orUndefinedIfMissing(readFile(path)));
    if (bytes !== undefined && hashOf(bytes) !== sha256) {
      throw new Error(`Cannot read blob ${sha256}: its content has another hash`);
    }
    return bytes;
  }

  open(sha256: Sha256): Promise<OpenBlob | undefined> {
    return openBlobFile(this.#dir, sha256);
  }

  async has(sha256: Sha256): Promise<boolean> {
    return (await orUndefinedIfMissing(stat(blobPath(this.#dir, sha256)))) !== undefined;
  }

  hold(): Disposable {
    return this.#holds.open();
  }

  async removeUnused(
    candidates: readonly Sha256[],
    usedOf: (hashes: readonly Sha256[]) => Promise<ReadonlySet<Sha256>>,
  ): Promise<{ removed: number; held: Sha256[] }> {
    const held: Sha256[] = [];
    let removed = 0;
    for (let start = 0; start < candidates.length; start += REMOVED_AT_ONCE) {
      const batch = candidates.slice(start, start + REMOVED_AT_ONCE);
      const free = batch.filter((sha256) => !this.#holds.has(sha256) && !this.#removing.has(sha256));
      held.push(...batch.filter((sha256) => !free.includes(sha256)));
      // oxlint-disable-next-line no-await-in-loop -- one batch after the other, so that a put does not wait long
      removed += await this.#remove(free, usedOf);
    }
    return { removed, held };
  }

  async *list(): AsyncGenerator<readonly Sha256[]> {
    for (const shard of await readdir(this.#dir)) {
      if (!SHARD.test(shard)) continue;
      // oxlint-disable-next-line no-await-in-loop -- as they are asked for
      const names = await readdir(join(this.#dir, shard));
      yield names.filter((name) => HASH.test(name)) as Sha256[];
    }
  }

  /**
   * First what is held, then what is being removed, then what is used. Whoever put one of them before has a hold, or has
   * stored his reference by the time that is looked for; whoever puts one after waits.
   */
  async #remove(
    hashes: readonly Sha256[],
    usedOf: (hashes: readonly Sha256[]) => Promise<ReadonlySet<Sha256>>,
  ): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const sha256 of hashes) this.#removing.set(sha256, promise);
    try {
      const used = await usedOf(hashes);
      const unused = hashes.filter((sha256) => !used.has(sha256));
      const gone = await Promise.all(
        unused.map(async (sha256) => orUndefinedIfMissing(unlink(blobPath(this.#dir, sha256)).then(() => true))),
      );
      return gone.filter(Boolean).length;
    } finally {
      for (const sha256 of hashes) this.#removing.delete(sha256);
      resolve();
    }
  }

  /** Resolves with the folder to sync, also when the blob was there: its writer may not have synced yet. */
  async #write(sha256: Sha256, bytes: Uint8Array): Promise<string> {
    const path = blobPath(this.#dir, sha256);
    const shard = join(this.#dir, sha256.slice(0, 2));
    this.#holds.note(sha256);
    await this.#removing.get(sha256);
    const existing = await orUndefinedIfMissing(stat(path));
    if (existing?.size === bytes.byteLength) return shard;

    if (!this.#shards.has(shard)) {
      await mkdir(shard, { recursive: true });
      await syncFolder(this.#dir);
      this.#shards.add(shard);
    }
    const temporaryPath = join(this.#temporary, randomUUID());
    try {
      const file = await open(temporaryPath, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporaryPath, path);
    } catch (error) {
      await rm(temporaryPath, { force: true });
      throw error;
    }
    return shard;
  }
}

/**
 * A small file's content, read at once: a Worker's cold start waits for it, and four trips to libuv's threads take ten
 * times as long as reading 64 KiB. Undefined when the file is larger or not there.
 */
function readSmall(path: string): Uint8Array | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return undefined;
  }
  try {
    return fstatSync(fd).size <= SMALL_BYTES ? readFileSync(fd) : undefined;
  } finally {
    closeSync(fd);
  }
}

function hashOf(bytes: Uint8Array): Sha256 {
  return hash('sha256', bytes, 'hex') as Sha256;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function orUndefinedIfMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
