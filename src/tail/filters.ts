/** Which invocations a tail shows: what `wrangler tail` sends for its options, and what it means. */
import { z } from 'zod';
import { MAX_TAIL_FILTERS } from '../limits.ts';
import { REDACTED, redactHeaders } from './redact.ts';
import type { CheckedRecord } from '../checked-record.ts';

const MAX_VALUES = 20; // of one filter
const MAX_CHARS = 1_024; // of one text

const text = z.string().min(1).max(MAX_CHARS);
const texts = z.array(text).min(1).max(MAX_VALUES);

/** One object of wrangler's has one of these. Several in one object must hold together, as several objects must. */
const TailFilter = z.strictObject({
  sampling_rate: z.number().min(0).max(1).optional(),
  outcome: texts.optional(),
  method: texts.optional(),
  header: z.strictObject({ key: text, query: z.string().max(MAX_CHARS).optional() }).optional(),
  client_ip: texts.optional(),
  query: text.optional(),
  scriptVersion: text.optional(),
});

export const TailFilters = z.array(TailFilter).max(MAX_TAIL_FILTERS);

type Filter = z.output<typeof TailFilter>;
type Test = (record: CheckedRecord) => boolean;

/** Outcomes that wrangler knows by name; it calls all others `unknown`. */
const NAMED_OUTCOMES: ReadonlySet<string> = new Set(['ok', 'exception', 'exceededCpu', 'exceededMemory', 'canceled']);
const LOOPBACK = /^(?:127\.|::1$)/;

/** `self`: the address of who made the tail. `random` as Math.random. */
export function toTest(filters: readonly Filter[], options: { self: string; random: () => number }): Test {
  const tests = filters.flatMap((filter) => toTests(filter, options));
  return (record) => tests.every((test) => test(record));
}

function toTests(filter: Filter, { self, random }: { self: string; random: () => number }): Test[] {
  const { sampling_rate: rate, outcome, method, header, client_ip: addresses, query, scriptVersion } = filter;
  const tests: Test[] = [];
  if (outcome !== undefined) tests.push((record) => outcome.some((name) => isOutcome(record.outcome, name)));
  if (method !== undefined) {
    const methods = method.map((name) => name.toUpperCase());
    tests.push((record) => methods.includes((record.method ?? '').toUpperCase()));
  }
  if (header !== undefined) tests.push((record) => hasHeader(record, header));
  if (addresses !== undefined) {
    const wanted = addresses.map((address) => (address === 'self' ? self : address)).map(toPlainAddress);
    tests.push((record) => record.event === 'fetch' && wanted.includes(toPlainAddress(record.tail.clientIp)));
  }
  if (query !== undefined) tests.push((record) => record.logs.some(({ message }) => message.includes(query)));
  if (scriptVersion !== undefined) tests.push((record) => record.version === scriptVersion);
  // Last: a rate of what the others let through.
  if (rate !== undefined) tests.push(() => random() < rate);
  return tests;
}

function isOutcome(outcome: string, wanted: string): boolean {
  return outcome === wanted || (wanted === 'unknown' && !NAMED_OUTCOMES.has(outcome));
}

/** What the tail does not show cannot be found out by asking for it either. */
function hasHeader(record: CheckedRecord, { key, query = '' }: { key: string; query?: string | undefined }): boolean {
  const value = redactHeaders(record.tail.headers)[key.toLowerCase()];
  if (value === undefined) return false;
  return query === '' || (value !== REDACTED && value.includes(query));
}

/** One for all ways to write the machine itself, and for IPv4 within IPv6. */
function toPlainAddress(address: string): string {
  const plain = address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return LOOPBACK.test(plain) ? '127.0.0.1' : plain;
}
