/**
 * Workers that have cost a cell: each is kept apart from all other accounts for an hour, twice as long the next time. Kept in
 * a file, so that a restart lets nobody out.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { WorkerKey } from '../control/index.ts';
import type { AccountId } from '../ids.ts';

const FIRST_MS = 3_600_000;
const MAX_DOUBLINGS = 7; // 128 hours
const FORGIVEN_MS = 7 * 24 * 3_600_000; // after its end: then the next time is the first again

const Sentences = z.array(z.object({ account: z.string(), worker: z.string(), strikes: z.int(), untilMs: z.number() }));
type Sentence = z.output<typeof Sentences>[number];

export interface QuarantineOptions {
  readonly path: string;
  /** ms since 1970. */
  readonly now: () => number;
  /** A Worker of this account has come in or got out. */
  readonly onChange: (account: AccountId) => void;
}

export class Quarantine {
  readonly #options: QuarantineOptions;
  readonly #sentences = new Map<string, Sentence>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: QuarantineOptions) {
    this.#options = options;
    for (const sentence of read(options.path)) this.#sentences.set(keyOf(sentence), sentence);
    this.#schedule();
  }

  has(worker: WorkerKey): boolean {
    return (this.#sentences.get(keyOf(worker))?.untilMs ?? 0) > this.#options.now();
  }

  hasAnyOf(account: string): boolean {
    return this.list().some((sentence) => sentence.account === account);
  }

  /** Those that are in it now. */
  list(): Sentence[] {
    const now = this.#options.now();
    return [...this.#sentences.values()].filter(({ untilMs }) => untilMs > now);
  }

  /** It has cost a cell. Answers until when it is kept apart, ms since 1970. */
  strike({ account, worker }: WorkerKey): number {
    const { now, path } = this.#options;
    const before = this.#sentences.get(keyOf({ account, worker }));
    const strikes = (before?.strikes ?? 0) + 1;
    const untilMs = now() + FIRST_MS * 2 ** Math.min(strikes - 1, MAX_DOUBLINGS);
    this.#sentences.set(keyOf({ account, worker }), { account, worker, strikes, untilMs });
    write(path, [...this.#sentences.values()]);
    this.#schedule();
    this.#options.onChange(account);
    return untilMs;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Wakes when the next one gets out. */
  #schedule(): void {
    clearTimeout(this.#timer);
    const now = this.#options.now();
    for (const [key, { untilMs }] of this.#sentences) if (untilMs + FORGIVEN_MS < now) this.#sentences.delete(key);
    const list = this.list();
    const next = Math.min(...list.map(({ untilMs }) => untilMs));
    if (next === Infinity) return;
    const accounts = new Set(list.filter(({ untilMs }) => untilMs === next).map(({ account }) => account as AccountId));
    this.#timer = setTimeout(
      () => {
        this.#schedule();
        for (const account of accounts) this.#options.onChange(account);
      },
      Math.max(1, next - now),
    ).unref();
  }
}

function read(path: string): Sentence[] {
  try {
    return Sentences.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new Error(`Cannot read ${path}: it is not a list of Workers in quarantine`, { cause: error });
  }
}

function write(path: string, sentences: readonly Sentence[]): void {
  writeFileSync(`${path}.new`, JSON.stringify(sentences), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

function keyOf({ account, worker }: { readonly account: string; readonly worker: string }): string {
  return `${worker}.${account}`;
}
