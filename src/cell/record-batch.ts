/**
 * Invocation records on their way out, gathered: one message for many. Lines of JSON in pure ASCII, so that whoever
 * writes them to a log or a terminal cannot be made to write anything else.
 *
 * Plain successes go apart from those that a person may want to see (an outcome other than `ok`, console lines,
 * exceptions): the former are many, and need never be parsed. Those that somebody tails go apart too, whatever they are.
 */
import { toAsciiJson } from '../ascii-json.ts';
import type { InvocationRecord, StartRecord } from '../model.ts';

// Fits one read of a socket, and dies young at the other end: larger batches cost the supervisor a major GC every second.
const MAX_BATCH_BYTES = 32 * 1024;
const MAX_DELAY_MS = 50;

export type RecordKind = 'plain' | 'notable' | 'tailed';

export class RecordBatch {
  readonly #send: (kind: RecordKind, lines: Uint8Array) => void;
  /** Plain lines, written straight into memory: as one string they would be a rope of thousands, flattened at the end. */
  #plain = Buffer.allocUnsafe(MAX_BATCH_BYTES);
  #plainBytes = 0;
  #notable = '';
  #tailed = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (kind: RecordKind, lines: Uint8Array) => void) {
    this.#send = send;
  }

  add(record: InvocationRecord): void {
    if (record.tail !== undefined) {
      this.#tailed += `${toAsciiJson(record)}\n`;
      if (this.#tailed.length >= MAX_BATCH_BYTES) this.flush();
    } else if (record.outcome === 'ok' && record.logs.length + record.exceptions.length === 0) {
      this.#addPlain(toPlainLine(record));
    } else {
      this.#notable += `${toAsciiJson(record)}\n`;
      if (this.#notable.length >= MAX_BATCH_BYTES) this.flush();
    }
    this.#timer ??= setTimeout(() => this.flush(), MAX_DELAY_MS);
  }

  addStart(record: StartRecord): void {
    this.#addPlain(`${toAsciiJson(record)}\n`);
    this.#timer ??= setTimeout(() => this.flush(), MAX_DELAY_MS);
  }

  /** One whose account logs more than it may: how it ended, for the log, and nothing that a person is told of. */
  addCut(record: InvocationRecord): void {
    this.#addPlain(`${toAsciiJson({ ...record, logs: [], exceptions: [], truncated: true })}\n`);
    this.#timer ??= setTimeout(() => this.flush(), MAX_DELAY_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#flushPlain();
    this.#flushText('notable', this.#notable);
    this.#notable = '';
    this.#flushText('tailed', this.#tailed);
    this.#tailed = '';
  }

  #flushText(kind: RecordKind, lines: string): void {
    if (lines !== '') this.#send(kind, Buffer.from(lines, 'latin1'));
  }

  #addPlain(line: string): void {
    if (this.#plainBytes + line.length > MAX_BATCH_BYTES) this.#flushPlain();
    if (line.length > MAX_BATCH_BYTES) this.#send('plain', Buffer.from(line, 'latin1'));
    else this.#plainBytes += this.#plain.write(line, this.#plainBytes, 'latin1');
  }

  #flushPlain(): void {
    if (this.#plainBytes === 0) return;
    // `send` copies into its own frame before it returns.
    this.#send('plain', this.#plain.subarray(0, this.#plainBytes));
    this.#plainBytes = 0;
  }
}

/** As JSON.stringify would, without what is empty, and four times as fast: this runs once a request. */
function toPlainLine(record: InvocationRecord): string {
  const { ray, account, worker, version, event, status, cpuUs, wallMs, at, method, url } = record;
  if (event === 'scheduled') return `${toAsciiJson(record)}\n`; // few, and with fields of their own
  const { bytesIn, bytesOut, subrequests, memoryBytes, cold, service } = record;
  const use =
    `,"bytesIn":${bytesIn},"bytesOut":${bytesOut},"subrequests":${subrequests},"memoryBytes":${memoryBytes},` +
    `"cold":${cold}${service === true ? ',"service":true' : ''}`;
  const request = method === undefined ? '' : `,"method":"${method}","url":${toJsonText(url ?? '')}`;
  return (
    `{"ray":"${ray}","account":"${account}","worker":"${worker}","version":"${version}","event":"${event}",` +
    `"outcome":"ok","status":${status},"cpuUs":${cpuUs},"wallMs":${wallMs},"at":${at}${use}${request}}\n`
  );
}

const PLAIN_TEXT = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/; // printable ASCII but for quote and backslash

function toJsonText(text: string): string {
  return PLAIN_TEXT.test(text) ? `"${text}"` : toAsciiJson(text);
}
