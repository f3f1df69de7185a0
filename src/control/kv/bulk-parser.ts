/** Bodies of bulk requests are read here, or on a thread where they are large: 32 MiB of JSON take more than a second. */
import { Worker } from 'node:worker_threads';
import { PlatformError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import type { KvEntry } from '../../store/index.ts';
import { KeyedLock } from '../keyed-lock.ts';
import { parseBulkKeys, parseBulkPut } from './bulk-body.ts';
import type { BulkJob, BulkResult } from './bulk-thread.ts';

const INLINE_BYTES = 128 * 1024; // some 6 ms at worst; a thread takes 200 to begin
const MAX_MS = 20_000; // ten times what 32 MiB take
const MAX_HEAP_MIB = 1_024;

interface Request {
  readonly account: AccountId;
  readonly bytes: Uint8Array;
}

/** One at a time for each account: whoever sends many waits for himself, and takes one core at most. */
export class BulkParser {
  readonly #locks = new KeyedLock();
  readonly #inlineBytes: number;
  readonly #maxHeapMiB: number;

  constructor({ inlineBytes = INLINE_BYTES, maxHeapMiB = MAX_HEAP_MIB } = {}) {
    this.#inlineBytes = inlineBytes;
    this.#maxHeapMiB = maxHeapMiB;
  }

  /** Throws `badRequest` or `kvLimit`. `now`: ms since 1970. Takes the bytes over. */
  async put({ account, bytes }: Request, now: number): Promise<readonly KvEntry[]> {
    if (bytes.byteLength <= this.#inlineBytes) return parseBulkPut(bytes, now);
    return (await this.#run(account, { kind: 'put', bytes, now })).entries;
  }

  /** Throws `badRequest`. Takes the bytes over. */
  async keys({ account, bytes }: Request): Promise<readonly string[]> {
    if (bytes.byteLength <= this.#inlineBytes) return parseBulkKeys(bytes);
    return (await this.#run(account, { kind: 'keys', bytes })).keys;
  }

  #run<J extends BulkJob>(account: AccountId, job: J): Promise<BulkResult<J>> {
    return this.#locks.run(account, async () => {
      const answer = await runThread<J>(job, this.#maxHeapMiB);
      if ('error' in answer) throw new PlatformError(answer.error.kind, answer.error.message);
      return answer;
    });
  }
}

type Answer<J extends BulkJob> = BulkResult<J> | { readonly error: Pick<PlatformError, 'kind' | 'message'> };

function runThread<J extends BulkJob>(job: J, maxHeapMiB: number): Promise<Answer<J>> {
  return new Promise((resolve) => {
    const thread = new Worker(new URL('bulk-thread.ts', import.meta.url), {
      name: 'isola-kv-bulk',
      workerData: job,
      transferList: [job.bytes.buffer as ArrayBuffer],
      resourceLimits: { maxOldGenerationSizeMb: maxHeapMiB },
    });
    const timer = setTimeout(() => void thread.terminate(), MAX_MS);
    thread.once('message', resolve);
    thread.on('error', () => {}); // out of memory; `exit` follows
    thread.once('exit', () => {
      clearTimeout(timer);
      const message = 'Bad request body: it takes too long, or too much memory, to read; send fewer entries at a time';
      resolve({ error: { kind: 'badRequest', message } });
    });
  });
}
