/** What is sent of a file: all of it, a range, or that it has not changed (RFC 9110 §13 and §14). */
import { parse as parseRange } from 'range-parser';
import type { Field } from './header-rules.ts';
import type { AssetFile } from './manifest.ts';
import type { SiteAnswer } from './site.ts';

export interface Conditions {
  readonly method: string;
  readonly ifNoneMatch?: string | undefined;
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly authorization?: string | undefined;
}

export interface AssetResponse {
  readonly status: number;
  /** Name and value by turns, names in lower case. Shared: do not change it. */
  readonly headers: readonly string[];
  readonly body: AssetBody | undefined;
}

/** Bytes of a file, `end` not included. */
export interface AssetBody {
  readonly file: AssetFile;
  readonly start: number;
  readonly end: number;
}

export function respond(answer: SiteAnswer, conditions: Conditions): AssetResponse {
  const { method, ifNoneMatch, range, authorization } = conditions;
  if (answer.kind === 'bare') {
    return { status: answer.status, headers: [...answer.fields.flat(), 'content-length', '0'], body: undefined };
  }
  const { status, file, whole, fields, privateFields } = answer;
  const isHead = method === 'HEAD';
  if (status === 200 && ifNoneMatch !== undefined && isMatch(ifNoneMatch, file)) {
    return {
      status: 304,
      headers: withoutContent(authorization === undefined ? fields : privateFields),
      body: undefined,
    };
  }
  const part = status === 200 && !isHead ? toPart(conditions, file) : undefined;
  if (part === undefined) {
    const headers =
      authorization === undefined && range === undefined
        ? whole
        : [...privateFields.flat(), 'content-length', String(file.bytes)];
    return { status, headers, body: isHead || file.bytes === 0 ? undefined : { file, start: 0, end: file.bytes } };
  }
  if (part === 'unsatisfiable') {
    const headers = [...withoutContent(privateFields), 'content-range', `bytes */${file.bytes}`, 'content-length', '0'];
    return { status: 416, headers, body: undefined };
  }
  const { start, end } = part;
  const extent = ['content-range', `bytes ${start}-${end - 1}/${file.bytes}`, 'content-length', String(end - start)];
  return { status: 206, headers: [...privateFields.flat(), ...extent], body: { file, start, end } };
}

/** The one range that is asked for. Several, or none that makes sense: the whole file. */
function toPart(
  { range, ifRange }: Conditions,
  file: AssetFile,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  // Dates never match: files have none.
  if (range === undefined || (ifRange !== undefined && ifRange !== `"${file.sha256}"`)) return undefined;
  const { code, type, ranges } = parseRange(file.bytes, range);
  if (type !== 'bytes' || (code & 1) !== 0) return undefined;
  const [only, ...more] = ranges;
  if (only === undefined) return 'unsatisfiable';
  return more.length > 0 ? undefined : { start: only.start, end: only.end + 1 };
}

function isMatch(ifNoneMatch: string, { sha256 }: AssetFile): boolean {
  // Our tags have neither commas nor quotes in them.
  return ifNoneMatch.split(',').some((tag) => {
    const text = tag.trim();
    return text === '*' || text.replace(/^W\//, '') === `"${sha256}"`;
  });
}

function withoutContent(fields: readonly Field[]): string[] {
  return fields.filter(([name]) => name !== 'content-type' && name !== 'content-encoding').flat();
}
