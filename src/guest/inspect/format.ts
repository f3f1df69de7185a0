/** Console arguments as text, as Node's `util.format` has them in the usual cases, within the bounds of value.ts. */
import {
  type Budget,
  formatNumber,
  formatPrimitive,
  inspectWith,
  inspectWrapped,
  listKeys,
  MAX_CHARACTERS,
  MAX_DEPTH,
  MAX_STRING,
  MAX_VALUES,
  TRUNCATED,
  UNSHOWN,
} from './value.ts';
import { functionToString, isArray, objectGetOwnPropertyDescriptor, objectToString } from '../shared.ts';

export function format(args: readonly unknown[]): string {
  const budget: Budget = { characters: MAX_CHARACTERS, values: MAX_VALUES };
  const [first] = args;
  let at = 0;
  let line = '';
  if (typeof first === 'string') {
    at = 1;
    line = first;
    if (args.length > 1) {
      const formatted = formatSpecifiers(first, args, budget);
      line = formatted.line;
      at = formatted.used;
    }
  }
  for (let i = at; i < args.length && line.length <= MAX_CHARACTERS; i++) {
    const value = args[i];
    if (i > 0) line += ' ';
    line += typeof value === 'string' ? value : inspectWith(value, budget, MAX_DEPTH);
  }
  return line.length > MAX_CHARACTERS ? line.slice(0, MAX_CHARACTERS - TRUNCATED.length) + TRUNCATED : line;
}

function formatSpecifiers(text: string, args: readonly unknown[], budget: Budget): { line: string; used: number } {
  let line = '';
  let used = 1;
  let done = 0;
  for (let i = 0; i < text.length - 1; i++) {
    if (text.charCodeAt(i) !== 0x25) continue;
    const specifier = text.charAt(i + 1);
    if (specifier === '%') {
      line += `${text.slice(done, i)}%`;
    } else {
      if (!'sdifjoOc'.includes(specifier) || used >= args.length || line.length > MAX_CHARACTERS) continue;
      line += text.slice(done, i) + formatOne(specifier, args[used], budget);
      used++;
    }
    done = i + 2;
    i++;
  }
  return { line: line + text.slice(done), used };
}

function formatOne(specifier: string, value: unknown, budget: Budget): string {
  switch (specifier) {
    case 's':
      if (typeof value === 'string') return value;
      if (typeof value === 'bigint') return inspectWith(value, budget, 0);
      if (typeof value === 'object' && value !== null) return inspectWith(value, budget, 0);
      return typeof value === 'function' ? sourceOf(value) : formatPrimitive(value);
    case 'd':
      if (typeof value === 'bigint') return inspectWith(value, budget, 0);
      if (value === null) return '0';
      return typeof value === 'object' || typeof value === 'symbol' || typeof value === 'function'
        ? 'NaN'
        : formatNumber(Number(value));
    case 'i':
      if (typeof value === 'bigint') return inspectWith(value, budget, 0);
      return isScalar(value) ? formatNumber(Number.parseInt(String(value).slice(0, 400), 10)) : 'NaN';
    case 'f':
      return isScalar(value) ? formatNumber(Number.parseFloat(String(value).slice(0, 400))) : 'NaN';
    case 'j':
      return formatJson(value, budget);
    case 'o':
      return inspectWith(value, budget, 4);
    case 'O':
      return inspectWith(value, budget, MAX_DEPTH);
    default:
      return ''; // %c: styles do not show
  }
}

function sourceOf(value: object): string {
  try {
    return functionToString(value).slice(0, MAX_STRING);
  } catch {
    return '[Function]'; // a callable proxy may have no source
  }
}

/** As JSON, without running `toJSON` or getters, and within the budget. */
function formatJson(value: unknown, budget: Budget): string {
  const parents: object[] = [];
  const write = (item: unknown): string | undefined => {
    if (--budget.values < 0 || budget.characters < 0) return '"..."';
    if (typeof item === 'string') {
      budget.characters -= item.length;
      return JSON.stringify(item.slice(0, MAX_STRING));
    }
    if (typeof item === 'number') return Number.isFinite(item) ? formatNumber(item + 0) : 'null';
    if (typeof item === 'boolean' || item === null) return String(item);
    if (typeof item !== 'object') return undefined;
    if (parents.includes(item)) return '"[Circular]"';
    if (objectToString(item) === '[object Date]') return `"${inspectWrapped(item) ?? ''}"`;
    parents.push(item);
    const parts: string[] = [];
    const array = isArray(item);
    const ownKeys = array ? undefined : listKeys(item);
    const count = ownKeys?.length ?? (item as unknown[]).length;
    for (let i = 0; i < count && budget.values > 0 && budget.characters > 0; i++) {
      const key = ownKeys?.[i] ?? i;
      const descriptor = objectGetOwnPropertyDescriptor(item, key);
      const text = write(descriptor?.value);
      if (array) parts.push(text ?? 'null');
      else if (typeof key === 'string' && descriptor?.enumerable && text !== undefined) {
        const name = JSON.stringify(key.slice(0, MAX_STRING));
        budget.characters -= name.length;
        parts.push(`${name}:${text}`);
      }
    }
    parents.pop();
    return array ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
  };
  try {
    return write(value) ?? 'undefined';
  } catch {
    return UNSHOWN;
  }
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
