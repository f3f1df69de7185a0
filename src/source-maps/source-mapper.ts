/**
 * Maps stacks on a thread of its own, which starts with the first one and ends when there has been none for a while.
 *
 * Maps come from tenants. A map that takes the thread too long, or all of its memory, costs the thread: the next job
 * gets a new one, and no stack of that version is mapped again. Reading an honest map of 24 MB takes a quarter of a second.
 */
import { Worker } from 'node:worker_threads';
import { findMap, type MapFiles } from './map-files.ts';
import type { ParseOptions } from './parsed-map.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

export interface SourceMapJob {
  /** Who pays for the queue: an account. */
  readonly owner: string;
  /** What the maps are remembered by: the same key means the same files. */
  readonly key: string;
  readonly texts: readonly string[];
  readonly files: MapFiles;
}

export interface SourceMapperOptions extends Partial<ParseOptions> {
  readonly maxJobMs?: number;
  readonly idleMs?: number;
}

const MAX_HEAP_MIB = 512;
const MAX_JOB_MS = 4_000; // sixteen times what the largest honest map takes
const IDLE_MS = 30_000;
const MAX_QUEUED_CHARS = 8 * 1024 * 1024;
const MAX_QUEUED_CHARS_OF_OWNER = 1024 * 1024; // some seven hundred stacks
const MAX_KEYS = 1_000; // remembered as bad, and as slow
// A map too large to be remembered is read again for every job: the sum of its jobs above SLOW_MS is bounded too.
const SLOW_MS = 100;
const MAX_SLOW_MS = 10_000;

interface Waiting extends SourceMapJob {
  readonly chars: number;
  resolve(texts: readonly string[]): void;
}

export class SourceMapper {
  readonly #options: ParseOptions;
  readonly #maxJobMs: number;
  readonly #idleMs: number;
  /** By owner, who take turns. */
  readonly #queues = new Map<string, Waiting[]>();
  readonly #charsOf = new Map<string, number>();
  #chars = 0;
  #active: Waiting | undefined;
  #thread: Worker | undefined;
  #jobTimer: NodeJS.Timeout | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  readonly #badKeys = new Set<string>();
  readonly #slowMs = new Map<string, number>();
  #sentAt = 0;
  #closing: PromiseWithResolvers<void> | undefined;

  constructor({ keepParents = false, maxJobMs = MAX_JOB_MS, idleMs = IDLE_MS }: SourceMapperOptions = {}) {
    this.#options = { keepParents };
    this.#maxJobMs = maxJobMs;
    this.#idleMs = idleMs;
  }

  /**
   * The texts with the frames in them mapped. Never rejects: without a map, or when too much is queued already, a text
   * comes back as it was.
   */
  map(job: SourceMapJob): Promise<readonly string[]> {
    const chars = job.texts.reduce((sum, text) => sum + text.length, 0);
    const ofOwner = (this.#charsOf.get(job.owner) ?? 0) + chars;
    const isTooMuch = ofOwner > MAX_QUEUED_CHARS_OF_OWNER || this.#chars + chars > MAX_QUEUED_CHARS;
    if (isTooMuch || this.#closing !== undefined || this.#badKeys.has(job.key)) return Promise.resolve(job.texts);
    this.#chars += chars;
    this.#charsOf.set(job.owner, ofOwner);
    return new Promise((resolve) => {
      const queue = this.#queues.get(job.owner) ?? [];
      queue.push({ ...job, chars, resolve });
      this.#queues.set(job.owner, queue);
      this.#next();
    });
  }

  /** Takes nothing new; resolves when what was queued is done and the thread has ended. */
  async close(): Promise<void> {
    this.#closing ??= Promise.withResolvers();
    if (this.#active === undefined) this.#closing.resolve();
    await this.#closing.promise;
    await this.#endThread();
  }

  #next(): void {
    if (this.#active !== undefined) return;
    clearTimeout(this.#idleTimer);
    const job = this.#take();
    if (job === undefined) {
      this.#closing?.resolve();
      this.#idleTimer = setTimeout(() => void this.#endThread(), this.#idleMs).unref();
      return;
    }
    this.#active = job;
    if (this.#badKeys.has(job.key)) return this.#finish(job.texts);
    this.#send({ type: 'job', key: job.key, texts: job.texts });
  }

  #take(): Waiting | undefined {
    for (const [owner, queue] of this.#queues) {
      const job = queue.shift();
      this.#queues.delete(owner);
      if (queue.length > 0) this.#queues.set(owner, queue); // at the end of the Map's order
      return job;
    }
    return undefined;
  }

  #send(message: ToThread): void {
    this.#thread ??= this.#startThread();
    this.#thread.ref(); // until it has answered: a program may end while nothing is under way
    clearTimeout(this.#jobTimer);
    this.#jobTimer = setTimeout(() => this.#giveUp(), this.#maxJobMs);
    this.#sentAt = performance.now();
    this.#thread.postMessage(message);
  }

  #startThread(): Worker {
    const thread = new Worker(new URL('./mapper-thread.ts', import.meta.url), {
      workerData: this.#options,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
    });
    thread.on('message', (message: FromThread) => {
      if (thread !== this.#thread || this.#active === undefined) return;
      clearTimeout(this.#jobTimer);
      this.#charge(this.#active.key, performance.now() - this.#sentAt);
      if (message.type === 'done') this.#finish(message.texts);
      else void this.#provide(this.#active, message.modules);
    });
    // Out of memory, most likely. `exit` follows.
    thread.on('error', () => {});
    thread.on('exit', () => {
      if (thread === this.#thread) this.#giveUp();
    });
    return thread;
  }

  /** Reads what the thread has not got. While this takes its time the thread has none to lose. */
  async #provide(job: Waiting, modules: readonly string[]): Promise<void> {
    const files = await Promise.all(modules.map((module) => findMap(job.files, module).catch(() => undefined)));
    if (this.#active === job) this.#send({ type: 'maps', files });
  }

  #charge(key: string, ms: number): void {
    if (ms < SLOW_MS) return;
    if (this.#slowMs.size >= MAX_KEYS) this.#slowMs.clear();
    const sum = (this.#slowMs.get(key) ?? 0) + ms;
    this.#slowMs.set(key, sum);
    if (sum > MAX_SLOW_MS) this.#condemn(key);
  }

  #condemn(key: string): void {
    if (this.#badKeys.size >= MAX_KEYS) this.#badKeys.clear();
    this.#badKeys.add(key);
  }

  /** The thread is stuck or gone, and the active job is to blame. */
  #giveUp(): void {
    void this.#endThread();
    const job = this.#active;
    if (job === undefined) return;
    this.#condemn(job.key);
    this.#finish(job.texts);
  }

  #finish(texts: readonly string[]): void {
    const job = this.#active;
    if (job === undefined) return;
    this.#active = undefined;
    this.#thread?.unref();
    this.#chars -= job.chars;
    const ofOwner = (this.#charsOf.get(job.owner) ?? 0) - job.chars;
    if (ofOwner > 0) this.#charsOf.set(job.owner, ofOwner);
    else this.#charsOf.delete(job.owner);
    job.resolve(texts);
    this.#next();
  }

  async #endThread(): Promise<void> {
    clearTimeout(this.#jobTimer);
    clearTimeout(this.#idleTimer);
    const thread = this.#thread;
    this.#thread = undefined;
    await thread?.terminate();
  }
}
