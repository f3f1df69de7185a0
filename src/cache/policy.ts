/** Which responses may be stored, and for how long: HTTP caching (RFC 9111) as a shared cache. */
import CachePolicy from 'http-cache-semantics';
import { fieldValue, type Fields, type ResponseHead } from './head.ts';

export interface Verdict {
  /** How long it is fresh, in ms. */
  readonly lifetimeMs: number;
  /** How old it was when it came, in s. */
  readonly ageSeconds: number;
  /** What is stored of its headers. */
  readonly fields: Fields;
}

// Of responses that do not say: as Cloudflare's edge, whose users expect a `put` without headers to last for a while.
const DEFAULT_SECONDS: Readonly<Record<number, number>> = {
  200: 7_200,
  203: 7_200,
  204: 7_200,
  300: 7_200,
  301: 7_200,
  302: 1_200,
  303: 1_200,
  307: 1_200,
  308: 7_200,
  404: 180,
  410: 180,
};

/** Undefined when the response must not be stored. */
export function judge(requestFields: Fields, response: ResponseHead): Verdict | undefined {
  const { cacheControl, omitted } = parseCacheControl(fieldValue(response.fields, 'cache-control'));
  const fields = omitted.size === 0 ? response.fields : without(response.fields, omitted);
  const isExplicit =
    /\b(max-age|s-maxage|no-cache)\b/.test(cacheControl) || fieldValue(fields, 'expires') !== undefined;
  const fallback = DEFAULT_SECONDS[response.status];
  if (!isExplicit && fallback === undefined) return undefined;
  const headers: Record<string, string> = toRecord(fields);
  headers['cache-control'] = isExplicit ? cacheControl : `${cacheControl}${cacheControl && ', '}max-age=${fallback}`;
  // What the visitor's request says about caching does not count: one could then empty a Worker's cache.
  const { authorization } = toRecord(requestFields);
  const request = { method: 'GET', headers: authorization === undefined ? {} : { authorization } };
  const policy = new CachePolicy(request, { status: response.status, headers }, { shared: true });
  const lifetimeMs = policy.storable() ? policy.timeToLive() : 0;
  return lifetimeMs > 0 ? { lifetimeMs, ageSeconds: policy.age(), fields } : undefined;
}

/**
 * Directives in lower case, as they are compared, without the qualified form of `private`: that one forbids storing the
 * header fields it names, not the response (RFC 9111 §5.2.2.7).
 */
function parseCacheControl(value = ''): { cacheControl: string; omitted: ReadonlySet<string> } {
  const omitted = new Set<string>();
  const kept = value.toLowerCase().replaceAll(/private\s*=\s*(?:"([^"]*)"|([^\s,"]+))/g, (_, quoted, token) => {
    for (const name of String(quoted ?? token).split(',')) omitted.add(name.trim());
    return '';
  });
  return { cacheControl: kept, omitted };
}

function without(fields: Fields, names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if (!names.has(fields[i] as string)) kept.push(fields[i] as string, fields[i + 1] as string);
  }
  return kept;
}

function toRecord(fields: Fields): Record<string, string> {
  const record: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    record[name] = record[name] === undefined ? (fields[i + 1] as string) : `${record[name]}, ${fields[i + 1]}`;
  }
  return record;
}
