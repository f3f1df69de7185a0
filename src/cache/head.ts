/** Heads of the cache's exchanges: what the guest's ABI (guest/abi.ts, CACHE) says, as values. */

/** Name, value, name, value … with names in lower case. */
export type Fields = readonly string[];

export type CacheOperation = 'delete' | 'drop' | 'find' | 'get' | 'has' | 'match' | 'names' | 'put';

export interface CacheQuestion {
  readonly operation: CacheOperation;
  /** The request's, with its fragment; the id of an entry for `get`. */
  readonly url: string;
  readonly ignoreSearch: boolean;
  readonly ignoreVary: boolean;
  /** The cache, as the guest names it. */
  readonly cache: string;
  readonly requestFields: Fields;
  /** Of `put`. */
  readonly response: ResponseHead | undefined;
}

export interface ResponseHead {
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  readonly redirected: boolean;
  readonly fields: Fields;
}

const OPERATIONS: ReadonlySet<string> = new Set([
  'delete',
  'drop',
  'find',
  'get',
  'has',
  'match',
  'names',
  'put',
] satisfies CacheOperation[]);

/** Undefined for what no guest of ours would say. */
export function parseQuestion(head: string): CacheQuestion | undefined {
  const lines = head.split('\n');
  const [operation = '', url = '', flags = '', cache = ''] = lines;
  if (!OPERATIONS.has(operation)) return undefined;
  const { fields: requestFields, end } = readFields(lines, 4);
  return {
    operation: operation as CacheOperation,
    url,
    ignoreSearch: flags.includes('s'),
    ignoreVary: flags.includes('v'),
    cache,
    requestFields,
    response: end < lines.length ? parseResponse(lines, end + 1) : undefined,
  };
}

export function toHead({ status, statusText, url, redirected, fields }: ResponseHead): string {
  return [status, statusText, url, redirected ? '1' : '0', ...fields].join('\n');
}

/** All values of a field as one, as HTTP joins them. `name` in lower case. */
export function fieldValue(fields: Fields, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < fields.length; i += 2) {
    if (fields[i] === name) value = value === undefined ? fields[i + 1] : `${value}, ${fields[i + 1]}`;
  }
  return value;
}

function parseResponse(lines: readonly string[], start: number): ResponseHead | undefined {
  const [status, statusText = '', url = '', redirected] = lines.slice(start, start + 4);
  const code = Number(status);
  if (!Number.isInteger(code) || code < 200 || code > 599) return undefined;
  return { status: code, statusText, url, redirected: redirected === '1', fields: readFields(lines, start + 4).fields };
}

/** Up to an empty name, or the end. */
function readFields(lines: readonly string[], start: number): { fields: string[]; end: number } {
  const fields: string[] = [];
  let at = start;
  for (; at + 1 < lines.length && lines[at] !== ''; at += 2) {
    fields.push((lines[at] as string).toLowerCase(), lines[at + 1] as string);
  }
  return { fields, end: at };
}
