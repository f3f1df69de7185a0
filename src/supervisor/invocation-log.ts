/**
 * What cells tell of their invocations, kept as lines of JSON in `logs/invocations.jsonl`, so that every
 * `x-isola-ray` can be found. Bounded: a full file is kept once more as `.1`, `.2`, `.3` and then dropped.
 */
import { type WriteStream, createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { toAsciiJson } from '../ascii-json.ts';
import type { RecordKind } from '../cell/index.ts';
import type { AccountId } from '../ids.ts';
import type { InvocationRecord } from '../model.ts';

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const OLD_FILES = 3;
const MAX_BACKLOG_BYTES = 16 * 1024 * 1024; // waiting for the disk; beyond, batches are dropped rather than memory filled
const MAX_ACCOUNT_CHARS = 63;
const PRINTABLE_LINES = /^[\n\x20-\x7e]+\n$/;

export interface InvocationLogOptions {
  /** Hears of those that a person should see: not `ok`, or with console lines or exceptions. */
  readonly onRecord: (record: InvocationRecord) => void;
  /** Stacks in terms of the sources; undefined where there are none. Must not reject. */
  readonly mapStacks: (record: InvocationRecord) => Promise<InvocationRecord> | undefined;
  /** The same, as a line of JSON: for the log store. */
  readonly onLine: (account: AccountId, line: string) => void;
  /** Hears of the records of Workers that are tailed, all of them, with what only tails are to see. */
  readonly onTailed: (record: InvocationRecord) => void;
}

export class InvocationLog {
  readonly #path: string;
  readonly #options: InvocationLogOptions;
  /** Records whose stacks are being mapped. */
  readonly #mapping = new Set<Promise<void>>();
  #stream: WriteStream;
  #bytes: number;

  constructor(dataDir: string, options: InvocationLogOptions) {
    mkdirSync(join(dataDir, 'logs'), { recursive: true });
    this.#path = join(dataDir, 'logs', 'invocations.jsonl');
    this.#options = options;
    this.#bytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    this.#stream = this.#open();
  }

  /**
   * Takes a cell's batch. A cell is not trusted: what is not printable ASCII, in whole lines, is refused; what a person may
   * want to see is so of accounts that the cell may speak for.
   */
  append(lines: Buffer, kind: RecordKind, speaksFor?: ReadonlySet<string>): void {
    const text = lines.toString('latin1');
    if (!PRINTABLE_LINES.test(text)) return;
    if (kind === 'plain') return this.#write(lines);
    // What needs no mapping is written together, as it came; the rest follows when it is mapped.
    let asTheyCame = '';
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const record = parseRecord(line);
      if (record !== undefined && speaksFor?.has(record.account) === false) continue;
      const mapping = record === undefined ? undefined : this.#options.mapStacks(record);
      if (mapping !== undefined) this.#track(mapping);
      else if (record?.tail !== undefined) this.#take(record);
      else {
        asTheyCame += `${line}\n`;
        if (record !== undefined) this.#tell(record, line);
      }
    }
    if (asTheyCame !== '') this.#write(Buffer.from(asTheyCame, 'latin1'));
  }

  /** Takes a record of the platform's own, as it is. */
  add(record: InvocationRecord): void {
    this.#take(record);
  }

  #track(mapping: Promise<InvocationRecord>): void {
    const written = mapping.then((record) => {
      this.#mapping.delete(written);
      this.#take(record);
    });
    this.#mapping.add(written);
  }

  #take(record: InvocationRecord): void {
    const { tail, ...logged } = record;
    const line = toAsciiJson(logged);
    this.#write(Buffer.from(`${line}\n`, 'latin1'));
    const isPlain = record.outcome === 'ok' && record.logs.length + record.exceptions.length === 0;
    if (!isPlain) this.#tell(logged, line);
    if (tail !== undefined) this.#options.onTailed(record);
  }

  #tell(record: InvocationRecord, line: string): void {
    this.#options.onRecord(record);
    this.#options.onLine(record.account, line);
  }

  #write(lines: Buffer): void {
    if (this.#stream.writableLength >= MAX_BACKLOG_BYTES) return;
    this.#stream.write(lines);
    this.#bytes += lines.byteLength;
    if (this.#bytes >= MAX_FILE_BYTES) this.#rotate();
  }

  async close(): Promise<void> {
    await Promise.all(this.#mapping);
    await new Promise<void>((resolve) => this.#stream.end(resolve));
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.#path, { flags: 'a', mode: 0o600 });
    stream.on('error', () => {}); // a full disk must not stop the platform
    return stream;
  }

  #rotate(): void {
    this.#stream.end();
    for (let index = OLD_FILES; index >= 1; index--) {
      const from = index === 1 ? this.#path : `${this.#path}.${index - 1}`;
      try {
        if (statSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${this.#path}.${index}`);
      } catch {
        // A full or read-only disk must not stop the platform.
      }
    }
    this.#bytes = 0;
    this.#stream = this.#open();
  }
}

function parseRecord(line: string): InvocationRecord | undefined {
  try {
    const record = JSON.parse(line) as Partial<InvocationRecord> | null;
    // The rest is shown as it is; these are what whoever shows it relies on.
    const isRecord =
      typeof record?.ray === 'string' &&
      typeof record.account === 'string' &&
      record.account.length <= MAX_ACCOUNT_CHARS &&
      Array.isArray(record.logs) &&
      Array.isArray(record.exceptions);
    return isRecord ? (record as InvocationRecord) : undefined;
  } catch {
    return undefined;
  }
}
