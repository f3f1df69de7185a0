/** MIME types (MIME Sniffing standard, section 4): what `blob()` and `formData()` ask of a `content-type`. */
import { objectCreate, regExpExec, stringIndexOf, stringSlice, toLowerCase } from '../runtime/intrinsics.ts';

const TYPE = /^[\t\n\r ]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\/([!#$%&'*+\-.^_`|~0-9A-Za-z]+)[\t\n\r ]*(?:;|$)/;
const PARAMETER =
  /^[\t\n\r ]*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\[^])*)(?:"[^;]*|\\?$)|([^;]*?))[\t\n\r ]*(?:;|$)/;
const SKIPPED = /^[^;]*(?:;|$)/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const ESCAPED = /^([^\\]*)\\([^])/;
const MAX_PARAMETERS = 100;

export interface MimeType {
  /** `type/subtype` in lower case. */
  readonly essence: string;
  /** By name in lower case; no prototype. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Undefined for what is no MIME type. */
export function parseMimeType(text: string): MimeType | undefined {
  const type = regExpExec(TYPE, text);
  if (type === null) return undefined;
  const parameters: Record<string, string> = objectCreate(null) as Record<string, string>;
  let rest = stringSlice(text, type[0].length);
  for (let i = 0; rest !== '' && i < MAX_PARAMETERS; i++) {
    const found = regExpExec(PARAMETER, rest);
    if (found === null) {
      rest = stringSlice(rest, regExpExec(SKIPPED, rest)![0].length);
      continue;
    }
    rest = stringSlice(rest, found[0].length);
    const name = toLowerCase(found[1]!);
    const value = found[2] === undefined ? found[3]! : unescaped(found[2]);
    if (value !== '' || found[2] !== undefined) parameters[name] ??= value;
  }
  return { essence: `${toLowerCase(type[1]!)}/${toLowerCase(type[2]!)}`, parameters };
}

export function serializeMimeType({ essence, parameters }: MimeType): string {
  let text = essence;
  for (const name in parameters) {
    const value = parameters[name]!;
    text += `;${name}=${regExpExec(TOKEN, value) === null ? quoted(value) : value}`;
  }
  return text;
}

function unescaped(text: string): string {
  if (stringIndexOf(text, '\\') === -1) return text;
  let result = '';
  let rest = text;
  for (let found = regExpExec(ESCAPED, rest); found !== null; found = regExpExec(ESCAPED, rest)) {
    result += found[1]! + found[2]!;
    rest = stringSlice(rest, found[0].length);
  }
  return result + rest;
}

function quoted(value: string): string {
  let text = '"';
  for (let i = 0; i < value.length; i++) {
    const unit = value[i]!;
    text += unit === '"' || unit === '\\' ? `\\${unit}` : unit;
  }
  return `${text}"`;
}
