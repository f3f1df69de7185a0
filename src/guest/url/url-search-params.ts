import { createIteratorPrototype, defineInterface, requireArguments, toUSVString } from '../webidl.ts';
import { type Pairs, parseUrlencoded, serializeUrlencoded } from './urlencoded.ts';

export type URLSearchParamsInit = string | Iterable<Iterable<string>> | Record<string, string> | URLSearchParams;

let readPairs: (params: URLSearchParams) => Pairs;
let replacePairs: (params: URLSearchParams, pairs: Pairs) => void;
let linkUrl: (params: URLSearchParams, onChange: (query: string) => void) => void;

export class URLSearchParams {
  #pairs: Pairs = [];
  #onChange: ((query: string) => void) | undefined;

  static {
    readPairs = (params) => params.#pairs;
    replacePairs = (params, pairs) => {
      params.#pairs = pairs;
    };
    linkUrl = (params, onChange) => {
      params.#onChange = onChange;
    };
  }

  constructor(init: URLSearchParamsInit = '') {
    if (typeof init === 'string') {
      const text = toUSVString(init);
      this.#pairs = parseUrlencoded(text.charCodeAt(0) === 0x3f ? text.slice(1) : text);
    } else if ((typeof init === 'object' || typeof init === 'function') && init !== null) {
      this.#pairs = toPairs(init);
    } else {
      this.#pairs = parseUrlencoded(toUSVString(init));
    }
  }

  get size(): number {
    return this.#pairs.length / 2;
  }

  append(name: string, value: string): void {
    requireArguments(arguments.length, 2, "Failed to execute 'append' on 'URLSearchParams'");
    this.#pairs.push(toUSVString(name), toUSVString(value));
    this.#changed();
  }

  delete(name: string, value?: string): void {
    requireArguments(arguments.length, 1, "Failed to execute 'delete' on 'URLSearchParams'");
    const key = toUSVString(name);
    const only = value === undefined ? undefined : toUSVString(value);
    const kept: Pairs = [];
    for (let i = 0; i < this.#pairs.length; i += 2) {
      const other = this.#pairs[i + 1] as string;
      if (this.#pairs[i] === key && (only === undefined || other === only)) continue;
      kept.push(this.#pairs[i] as string, other);
    }
    this.#pairs = kept;
    this.#changed();
  }

  get(name: string): string | null {
    requireArguments(arguments.length, 1, "Failed to execute 'get' on 'URLSearchParams'");
    const pairs = this.#pairs;
    const key = toUSVString(name);
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === key) return pairs[i + 1] as string;
    return null;
  }

  getAll(name: string): string[] {
    requireArguments(arguments.length, 1, "Failed to execute 'getAll' on 'URLSearchParams'");
    const pairs = this.#pairs;
    const key = toUSVString(name);
    const values: string[] = [];
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === key) values.push(pairs[i + 1] as string);
    return values;
  }

  has(name: string, value?: string): boolean {
    requireArguments(arguments.length, 1, "Failed to execute 'has' on 'URLSearchParams'");
    const pairs = this.#pairs;
    const key = toUSVString(name);
    const only = value === undefined ? undefined : toUSVString(value);
    for (let i = 0; i < pairs.length; i += 2) {
      if (pairs[i] === key && (only === undefined || pairs[i + 1] === only)) return true;
    }
    return false;
  }

  set(name: string, value: string): void {
    requireArguments(arguments.length, 2, "Failed to execute 'set' on 'URLSearchParams'");
    const key = toUSVString(name);
    const text = toUSVString(value);
    const kept: Pairs = [];
    let found = false;
    for (let i = 0; i < this.#pairs.length; i += 2) {
      if (this.#pairs[i] !== key) kept.push(this.#pairs[i] as string, this.#pairs[i + 1] as string);
      else if (!found) {
        found = true;
        kept.push(key, text);
      }
    }
    if (!found) kept.push(key, text);
    this.#pairs = kept;
    this.#changed();
  }

  sort(): void {
    const pairs = this.#pairs;
    const entries: [string, string][] = [];
    for (let i = 0; i < pairs.length; i += 2) entries.push([pairs[i] as string, pairs[i + 1] as string]);
    // By code units, as `<` compares; the sort is stable.
    entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    this.#pairs = entries.flat();
    this.#changed();
  }

  forEach(callback: (value: string, name: string, params: URLSearchParams) => void, thisArg?: unknown): void {
    requireArguments(arguments.length, 1, "Failed to execute 'forEach' on 'URLSearchParams'");
    readPairs(this); // brand check
    if (typeof callback !== 'function') throw new TypeError('The callback is not a function');
    for (let i = 0; i < this.#pairs.length; i += 2) {
      callback.call(thisArg, this.#pairs[i + 1] as string, this.#pairs[i] as string, this);
    }
  }

  entries(): IterableIterator<[string, string]> {
    return createIterator(this, 'entries') as IterableIterator<[string, string]>;
  }

  keys(): IterableIterator<string> {
    return createIterator(this, 'keys') as IterableIterator<string>;
  }

  values(): IterableIterator<string> {
    return createIterator(this, 'values') as IterableIterator<string>;
  }

  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;

  toString(): string {
    return serializeUrlencoded(this.#pairs);
  }

  #changed(): void {
    this.#onChange?.(serializeUrlencoded(this.#pairs));
  }
}
defineInterface(URLSearchParams, 'URLSearchParams', { delete: 1, has: 1, forEach: 1 });
Object.defineProperty(URLSearchParams.prototype, Symbol.iterator, {
  value: URLSearchParams.prototype.entries,
  writable: true,
  configurable: true,
});

/** The `searchParams` of a URL: `onChange` gets the new query after each change. */
export function createUrlParams(query: string, onChange: (query: string) => void): URLSearchParams {
  const params = new URLSearchParams();
  replacePairs(params, parseUrlencoded(query));
  linkUrl(params, onChange);
  return params;
}

/** The URL's query was assigned to: takes it over without telling the URL. */
export function resetParams(params: URLSearchParams, query: string): void {
  replacePairs(params, parseUrlencoded(query));
}

type IterationKind = 'entries' | 'keys' | 'values';

interface Iteration {
  readonly params: URLSearchParams;
  readonly kind: IterationKind;
  index: number;
}

const iterations = new WeakMap<object, Iteration>();
const iteratorPrototype = createIteratorPrototype('URLSearchParams');
Object.defineProperty(iteratorPrototype, 'next', {
  value: function next(this: object): IteratorResult<unknown> {
    const iteration = iterations.get(this);
    if (iteration === undefined) throw new TypeError("'next' called on an object that is no URLSearchParams Iterator");
    const pairs = readPairs(iteration.params);
    const i = iteration.index;
    if (i >= pairs.length) return { value: undefined, done: true };
    iteration.index += 2;
    if (iteration.kind === 'keys') return { value: pairs[i], done: false };
    if (iteration.kind === 'values') return { value: pairs[i + 1], done: false };
    return { value: [pairs[i], pairs[i + 1]], done: false };
  },
  writable: true,
  enumerable: true,
  configurable: true,
});

function createIterator(params: URLSearchParams, kind: IterationKind): object {
  readPairs(params); // brand check
  const iterator = Object.create(iteratorPrototype) as object;
  iterations.set(iterator, { params, kind, index: 0 });
  return iterator;
}

function toPairs(init: object): Pairs {
  const pairs: Pairs = [];
  const method = (init as { [Symbol.iterator]?: unknown })[Symbol.iterator];
  if (method !== undefined && method !== null) {
    if (typeof method !== 'function') throw new TypeError("Failed to construct 'URLSearchParams': not iterable");
    for (const pair of init as Iterable<Iterable<string>>) {
      if ((typeof pair !== 'object' && typeof pair !== 'function') || pair === null) {
        throw new TypeError("Failed to construct 'URLSearchParams': each pair must be an iterable of two");
      }
      const items = [...pair];
      if (items.length !== 2) {
        throw new TypeError("Failed to construct 'URLSearchParams': each pair must be an iterable of two");
      }
      pairs.push(toUSVString(items[0]), toUSVString(items[1]));
    }
    return pairs;
  }
  // Web IDL record: a name that two keys convert to keeps the last value.
  const seen = new Map<string, string>();
  for (const key of Reflect.ownKeys(init)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(init, key);
    if (!descriptor?.enumerable) continue;
    seen.set(toUSVString(key), toUSVString((init as Record<PropertyKey, unknown>)[key]));
  }
  for (const [name, value] of seen) pairs.push(name, value);
  return pairs;
}
