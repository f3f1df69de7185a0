import { redactUrl } from '../redact-url.ts';
import { parseRecord } from '../checked-record.ts';
import type { LogEntry } from './logs.ts';

const MAX_ID_CHARS = 200; // of names and ids
const MAX_URL_CHARS = 4_096;
const MAX_LINES = 5_000; // each costs 64 bytes of MAX_LOG_BYTES
const MAX_EXCEPTIONS = 100;

/** An entry, out of a line that a cell wrote: what does not fit is left out. Undefined when there is nothing to see. */
export function parseLogLine(line: string): LogEntry | undefined {
  const record = parseRecord(parseJson(line));
  if (record === undefined) return undefined;
  const { method, url, cron } = record;
  return {
    ray: toId(record.ray),
    worker: toId(record.worker),
    version: toId(record.version),
    event: record.event,
    outcome: toId(record.outcome),
    at: toTime(record.at),
    status: toCount(record.status),
    ...(method !== undefined && { method: toId(method) }),
    ...(url !== undefined && { url: redactUrl(url.slice(0, MAX_URL_CHARS)) }),
    ...(cron !== undefined && { cron: toId(cron) }),
    cpuUs: toCount(record.cpuUs),
    wallMs: Number.isFinite(record.wallMs) ? Math.max(0, record.wallMs) : 0,
    logs: record.logs
      .slice(0, MAX_LINES)
      .map(({ level, message, timestamp }) => ({ level: toId(level), message, at: toTime(timestamp) })),
    exceptions: record.exceptions
      .slice(0, MAX_EXCEPTIONS)
      .map(({ name, message, stack }) => ({ name: toId(name), message, stack })),
    truncated: record.truncated || record.logs.length > MAX_LINES || record.exceptions.length > MAX_EXCEPTIONS,
    dropped: toCount(record.dropped),
  };
}

/** What a search looks through. */
export function toSearchable({ ray, url = '', logs, exceptions }: LogEntry): string {
  const texts = [ray, url, ...logs.map(({ message }) => message)];
  for (const { name, message, stack } of exceptions) texts.push(`${name}: ${message}`, stack);
  return texts.join('\n');
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function toId(text: string): string {
  return text.slice(0, MAX_ID_CHARS);
}

function toCount(value: number): number {
  return Number.isSafeInteger(Math.round(value)) ? Math.max(0, Math.round(value)) : 0;
}

const MAX_DATE_MS = 8.64e15; // ECMAScript's last instant

function toTime(ms: number): number {
  return Math.min(toCount(ms), MAX_DATE_MS);
}
