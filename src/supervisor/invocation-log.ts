/**
 * What cells tell of their invocations, kept as lines of JSON in `logs/invocations.jsonl`, so that every
 * `x-isola-ray` can be found. Bounded: a full file is kept once more as `.1`, `.2`, `.3` and then dropped.
 */
import { type WriteStream, createWriteStream, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { InvocationRecord } from '../model.ts';

const MAX_FILE_BYTES = 64 * 1024 * 1024;
const OLD_FILES = 3;
const MAX_BACKLOG_BYTES = 16 * 1024 * 1024; // waiting for the disk; beyond, batches are dropped rather than memory filled
const PRINTABLE_LINES = /^[\n\x20-\x7e]+\n$/;

export class InvocationLog {
  readonly #path: string;
  readonly #onRecord: (record: InvocationRecord) => void;
  #stream: WriteStream;
  #bytes: number;

  /** `onRecord` hears of those that a person should see: not `ok`, or with console lines or exceptions. */
  constructor(dataDir: string, onRecord: (record: InvocationRecord) => void) {
    mkdirSync(join(dataDir, 'logs'), { recursive: true });
    this.#path = join(dataDir, 'logs', 'invocations.jsonl');
    this.#onRecord = onRecord;
    this.#bytes = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    this.#stream = this.#open();
  }

  /** Takes a cell's batch. A cell is not trusted: what is not printable ASCII, in whole lines, is refused. */
  append(lines: Buffer, notable: boolean): void {
    const text = lines.toString('latin1');
    if (!PRINTABLE_LINES.test(text)) return;
    if (this.#stream.writableLength < MAX_BACKLOG_BYTES) {
      this.#stream.write(lines);
      this.#bytes += lines.byteLength;
      if (this.#bytes >= MAX_FILE_BYTES) this.#rotate();
    }
    if (!notable) return;
    for (const line of text.split('\n')) {
      const record = line === '' ? undefined : parseRecord(line);
      if (record !== undefined) this.#onRecord(record);
    }
  }

  async close(): Promise<void> {
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
    const isRecord = typeof record?.ray === 'string' && Array.isArray(record.logs) && Array.isArray(record.exceptions);
    return isRecord ? (record as InvocationRecord) : undefined;
  } catch {
    return undefined;
  }
}
