/**
 * `Headers` of the Fetch standard, kept as a flat list and parsed from the text of a head only when it is asked for.
 *
 * Names are kept in lower case, as HTTP compares them. Headers that came from the network are immutable, as the
 * standard says for `request.headers` of an incoming request and `response.headers` of a fetched response.
 */
import {
  arraySort,
  objectCreate,
  isEnumerable,
  reflectOwnKeys,
  reflectApply,
  regExpExec,
  charCodeAt,
  stringIndexOf,
  stringSlice,
  stringSplit,
  toLowerCase,
  symbolIterator,
} from '../runtime/intrinsics.ts';
import { normalized, valid } from './known-headers.ts';
import { defineInterface, defineIterator, toDOMString } from '../webidl.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

let parseHead: (headers: Headers) => string[];
let newFromHead: (head: string, offset: number) => Headers;
let newFromList: (list: string[]) => Headers;
let isHeaders: (value: object) => value is Headers;
let lookUp: (headers: Headers, lowerName: string) => string | null;
let addUnchecked: (headers: Headers, lowerName: string, value: string) => void;
let freeze: (headers: Headers) => void;
let sortedEntries: (headers: Headers) => [string, string][];

interface HeadersState {
  /** name, value, name, value …, names in lower case. */
  list: string[];
  /** Text still to be parsed, from `offset` on; undefined once it has been. */
  head: string | undefined;
  offset: number;
  immutable: boolean;
  sorted: [string, string][] | undefined;
}

export class Headers {
  readonly #state: HeadersState = { list: [], head: undefined, offset: 0, immutable: false, sorted: undefined };

  constructor(init?: unknown) {
    if (init !== undefined) this.#state.list = headersToList(init);
  }

  append(name: string, value: string): void {
    if (arguments.length < 2) throw missing('append', 2, arguments.length);
    const lower = toName(name, 'append');
    const normal = toValue(value, 'append');
    this.#mutable('append');
    const list = this.#parsed();
    list[list.length] = lower;
    list[list.length] = normal;
  }

  delete(name: string): void {
    if (arguments.length < 1) throw missing('delete', 1, arguments.length);
    const lower = toName(name, 'delete');
    this.#mutable('delete');
    this.#remove(lower, 0);
  }

  get(name: string): string | null {
    if (arguments.length < 1) throw missing('get', 1, arguments.length);
    return this.#get(toName(name, 'get'));
  }

  getSetCookie(): string[] {
    return this.#setCookies();
  }

  /** In Workers, as it was before `getSetCookie`. */
  getAll(name: string): string[] {
    if (arguments.length < 1) throw missing('getAll', 1, arguments.length);
    if (toName(name, 'getAll') === 'set-cookie') return this.#setCookies();
    throw new TypeError("Failed to execute 'getAll' on 'Headers': only for the name Set-Cookie");
  }

  has(name: string): boolean {
    if (arguments.length < 1) throw missing('has', 1, arguments.length);
    return this.#get(toName(name, 'has')) !== null;
  }

  set(name: string, value: string): void {
    if (arguments.length < 2) throw missing('set', 2, arguments.length);
    const lower = toName(name, 'set');
    const normal = toValue(value, 'set');
    this.#mutable('set');
    const list = this.#parsed();
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== lower) continue;
      list[i + 1] = normal;
      this.#remove(lower, i + 2);
      return;
    }
    list[list.length] = lower;
    list[list.length] = normal;
  }

  forEach(callback: (value: string, name: string, parent: Headers) => void, thisArg?: unknown): void {
    this.#parsed();
    if (typeof callback !== 'function') {
      throw new TypeError("Failed to execute 'forEach' on 'Headers': parameter 1 is not of type 'Function'");
    }
    for (let i = 0; i < this.#entries().length; i++) {
      const [name, value] = this.#entries()[i]!;
      reflectApply(callback, thisArg, [value, name, this]);
    }
  }

  entries(): HeadersIterator {
    this.#parsed();
    return new HeadersIterator(this, 'entries');
  }

  keys(): HeadersIterator {
    this.#parsed();
    return new HeadersIterator(this, 'keys');
  }

  values(): HeadersIterator {
    this.#parsed();
    return new HeadersIterator(this, 'values');
  }

  #mutable(method: string): void {
    if (this.#state.immutable) {
      throw new TypeError(`Failed to execute '${method}' on 'Headers': these headers are immutable`);
    }
    this.#state.sorted = undefined;
  }

  #get(lower: string): string | null {
    return findHeader(this.#parsed(), lower);
  }

  #remove(lower: string, from: number): void {
    const list = this.#parsed();
    let kept = from;
    for (let i = from; i < list.length; i += 2) {
      if (list[i] === lower) continue;
      list[kept] = list[i]!;
      list[kept + 1] = list[i + 1]!;
      kept += 2;
    }
    list.length = kept;
  }

  #setCookies(): string[] {
    const list = this.#parsed();
    const values: string[] = [];
    for (let i = 0; i < list.length; i += 2) if (list[i] === 'set-cookie') values[values.length] = list[i + 1]!;
    return values;
  }

  #parsed(): string[] {
    const state = this.#state;
    if (state.head === undefined) return state.list;
    const list = state.offset === 0 ? [] : stringSplit(stringSlice(state.head, state.offset), '\n');
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i]!;
      list[i] = normalized[name] ?? toLowerCase(name);
    }
    state.list = list;
    state.head = undefined;
    return list;
  }

  /** Sorted by name, equal names combined, except `set-cookie`: Fetch, "sort and combine". */
  #entries(): [string, string][] {
    if (this.#state.sorted !== undefined) return this.#state.sorted;
    const list = this.#parsed();
    const seen: Record<string, [string, string]> = objectCreate(null);
    const entries: [string, string][] = [];
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i]!;
      const before = seen[name];
      if (before !== undefined && name !== 'set-cookie') {
        before[1] = `${before[1]}, ${list[i + 1]!}`;
        continue;
      }
      const entry: [string, string] = [name, list[i + 1]!];
      seen[name] = entry;
      entries[entries.length] = entry;
    }
    arraySort(entries, (a: [string, string], b: [string, string]) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    this.#state.sorted = entries;
    return entries;
  }

  static {
    parseHead = (headers) => headers.#parsed();
    isHeaders = (value): value is Headers => #state in value;
    lookUp = (headers, lower) => headers.#get(lower);
    sortedEntries = (headers) => headers.#entries();
    newFromHead = (head, offset) => {
      const headers = new Headers();
      const state = headers.#state;
      state.head = head;
      state.offset = offset;
      state.immutable = true;
      return headers;
    };
    newFromList = (list) => {
      const headers = new Headers();
      headers.#state.list = list;
      return headers;
    };
    addUnchecked = (headers, lower, value) => {
      const list = headers.#parsed();
      headers.#state.sorted = undefined;
      list[list.length] = lower;
      list[list.length] = value;
    };
    freeze = (headers) => {
      headers.#state.immutable = true;
    };
  }
}

/** Made lazily from the rest of a head: `offset` is where the first name begins, or 0 when there are no headers. */
export const headersFromHead = newFromHead;
/** Made of a list of names, in lower case, and values. It is theirs from now on. */
export const headersFromList = newFromList;
/** Value of a header by its lower-case name, past any method a tenant has replaced. */
export const getHeader = lookUp;
/** Adds a header that is known to be valid, whatever the guard. */
export const addHeader = addUnchecked;
export const makeImmutable = freeze;

/** `\nname\nvalue` for each header, the tail of a head. */
export function headersToHead(headers: Headers): string {
  return listToHead(parseHead(headers));
}

/** The same of a list of names and values. */
export function listToHead(list: readonly string[]): string {
  let text = '';
  for (let i = 0; i < list.length; i++) text += `\n${list[i]!}`;
  return text;
}

/** Combined value of a header in a list, by its lower-case name. */
export function findHeader(list: readonly string[], lower: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === lower) value = value === null ? list[i + 1]! : `${value}, ${list[i + 1]!}`;
  }
  return value;
}

/** A new list of names, in lower case, and values: of what `new Headers` takes. */
export function headersToList(init: unknown): string[] {
  if (init === null || (typeof init !== 'object' && typeof init !== 'function')) {
    throw new TypeError("Failed to construct 'Headers': the init is not a sequence of pairs or a record");
  }
  const list: string[] = [];
  const iterator = (init as { [Symbol.iterator]?: unknown })[symbolIterator];
  if (isHeaders(init) && iterator === nativeIterator) {
    const source = parseHead(init);
    for (let i = 0; i < source.length; i++) list[i] = source[i]!;
    return list;
  }
  if (iterator !== undefined && iterator !== null) {
    for (const pair of init as Iterable<unknown>) addPair(list, pair);
    return list;
  }
  const keys = reflectOwnKeys(init);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (!isEnumerable(init, key)) continue;
    const lower = toName(key, 'constructor');
    const value = toValue((init as Record<PropertyKey, string>)[key]!, 'constructor');
    list[list.length] = lower;
    list[list.length] = value;
  }
  return list;
}

function addPair(list: string[], pair: unknown): void {
  const parts: unknown[] = [];
  if (pair === null || (typeof pair !== 'object' && typeof pair !== 'function')) {
    throw new TypeError("Failed to construct 'Headers': a pair is not a sequence");
  }
  for (const part of pair as Iterable<unknown>) parts[parts.length] = part;
  if (parts.length !== 2) throw new TypeError("Failed to construct 'Headers': a pair does not have two items");
  const lower = toName(parts[0], 'constructor');
  const value = toValue(parts[1], 'constructor');
  list[list.length] = lower;
  list[list.length] = value;
}

class HeadersIterator {
  readonly #headers: Headers;
  readonly #kind: 'entries' | 'keys' | 'values';
  #index = 0;

  constructor(headers: Headers, kind: 'entries' | 'keys' | 'values') {
    this.#headers = headers;
    this.#kind = kind;
  }

  next(): IteratorResult<unknown> {
    const entries = sortedEntries(this.#headers);
    const entry = entries[this.#index];
    if (this.#index >= entries.length || entry === undefined) return { value: undefined, done: true };
    this.#index++;
    if (this.#kind === 'keys') return { value: entry[0], done: false };
    if (this.#kind === 'values') return { value: entry[1], done: false };
    return { value: [entry[0], entry[1]], done: false };
  }
}

const nativeIterator = Headers.prototype.entries;
Object.defineProperty(Headers.prototype, Symbol.iterator, {
  value: nativeIterator,
  writable: true,
  configurable: true,
});
defineInterface(Headers, 'Headers', { forEach: 1 });
Object.defineProperty(Headers, 'length', { value: 0, configurable: true });
defineIterator(HeadersIterator, 'Headers');

function toName(name: unknown, method: string): string {
  const text = toDOMString(name);
  const known = normalized[text];
  if (known !== undefined) return known;
  if (regExpExec(TOKEN, text) === null) {
    throw new TypeError(`Failed to execute '${method}' on 'Headers': invalid header name ${quote(text)}`);
  }
  return toLowerCase(text);
}

function toValue(value: unknown, method: string): string {
  const text = toDOMString(value);
  if (valid[text] !== undefined) return text;
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(charCodeAt(text, start))) start++;
  while (end > start && isSpace(charCodeAt(text, end - 1))) end--;
  for (let i = start; i < end; i++) {
    const code = charCodeAt(text, i);
    if (code === 0 || code === 10 || code === 13 || code > 255) {
      throw new TypeError(`Failed to execute '${method}' on 'Headers': invalid header value ${quote(text)}`);
    }
  }
  return start === 0 && end === text.length ? text : stringSlice(text, start, end);
}

function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}

function quote(text: string): string {
  const cut = stringIndexOf(text, '\n');
  return `"${stringSlice(text, 0, cut === -1 || cut > 100 ? 100 : cut)}"`;
}

function missing(method: string, needed: number, given: number): TypeError {
  return new TypeError(
    `Failed to execute '${method}' on 'Headers': ${needed} arguments required, but only ${given} present`,
  );
}
