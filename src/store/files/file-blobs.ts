import { hash, randomUUID } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { blobPath, openBlobFile, type OpenBlob } from '../../blob-file.ts';
import type { Sha256 } from '../../ids.ts';
import type { Blobs } from '../blobs.ts';

const PARALLEL_WRITES = 16; // libuv has 4 threads; more queued calls let one journal commit carry several fsyncs
const SMALL_BYTES = 64 * 1024;
const TEMPORARY_FOLDER = 'tmp';

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

  /** Resolves with the folder to sync, also when the blob was there: its writer may not have synced yet. */
  async #write(sha256: Sha256, bytes: Uint8Array): Promise<string> {
    const path = blobPath(this.#dir, sha256);
    const shard = join(this.#dir, sha256.slice(0, 2));
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
