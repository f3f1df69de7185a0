/**
 * `caches`: the account's cached responses, by the rules of HTTP (host side: src/cache). The surface is that of the
 * Service Workers standard and of Workers' `caches.default`.
 */
import { CACHE_INDEX } from '../abi.ts';
import {
  askBinding,
  type BindingAnswer,
  defineInterface,
  DOMException,
  fetchedResponse,
  isBodyUnusable,
  isRequest,
  NativePromise,
  NETWORK,
  objectFreeze,
  promiseThen,
  readAnswer,
  Request,
  requireArguments,
  type Response,
  responseHead,
  type ResponseState,
  responseState,
  SafeMap,
  startFetch,
  stringIndexOf,
  stringSlice,
  stringSplit,
  toDOMString,
} from '../core.ts';
import { field, variesByAll, varyNames } from './caches/fields.ts';
import { toId, toName } from './caches/names.ts';
import {
  isAskable,
  type Query,
  type QueryOptions,
  toOptions,
  toQuery,
  toStorable,
  withoutFragment,
} from './caches/query.ts';

const DEFAULT = 'd';
const ANY = '';
const FOUND = '200';
const DONE = '204';
const NO_BODY = { source: null, used: false, shared: false };
const MAX_OPENED = 1_000; // names remembered by an isolate; of more, those without entries are forgotten

/** Lets the runtime construct. */
const KEY = Symbol('cache');
/** Caches that were opened here. The host knows those that have entries. */
const opened = new SafeMap<string, string>();

export class Cache {
  /** As the host is told. */
  readonly #id: string;

  constructor(key: unknown, id: string) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    this.#id = id;
  }

  async match(request: unknown, options?: unknown): Promise<Response | undefined> {
    requireArguments(arguments.length, 1, "Failed to execute 'match' on 'Cache'");
    return matchIn(this.#id, request, toOptions(options));
  }

  async matchAll(request?: unknown, options?: unknown): Promise<readonly Response[]> {
    const found = await find(this.#id, request, toOptions(options));
    const answers = await all(found, ({ id }) => askCache(`get\n${id}\n\n${this.#id}`, NO_BODY));
    const responses: Response[] = [];
    for (let i = 0; i < answers.length; i++) {
      const response = toResponse(answers[i]!);
      // It may have been evicted since.
      if (response !== undefined) responses[responses.length] = response;
    }
    return objectFreeze(responses);
  }

  async add(request: unknown): Promise<void> {
    requireArguments(arguments.length, 1, "Failed to execute 'add' on 'Cache'");
    await addTo(this.#id, [request]);
  }

  async addAll(requests: Iterable<unknown>): Promise<void> {
    requireArguments(arguments.length, 1, "Failed to execute 'addAll' on 'Cache'");
    const list: unknown[] = [];
    for (const request of requests) list[list.length] = request;
    await addTo(this.#id, list);
  }

  async put(request: unknown, response: unknown): Promise<void> {
    requireArguments(arguments.length, 2, "Failed to execute 'put' on 'Cache'");
    const query = toStorable(request);
    const state = responseState(response);
    if (state === undefined) throw new TypeError("Failed to execute 'put' on 'Cache': the response is not a Response");
    await putIn(this.#id, query, state);
  }

  async delete(request: unknown, options?: unknown): Promise<boolean> {
    requireArguments(arguments.length, 1, "Failed to execute 'delete' on 'Cache'");
    const { ignoreMethod, flags } = toOptions(options);
    const { url, method, fields } = toQuery(request);
    if (!isAskable(url, method, ignoreMethod)) return false;
    return isDone(await askCache(`delete\n${url}\n${flags}\n${this.#id}${fields}`, NO_BODY));
  }

  async keys(request?: unknown, options?: unknown): Promise<readonly Request[]> {
    const found = await find(this.#id, request, toOptions(options));
    const requests: Request[] = [];
    for (let i = 0; i < found.length; i++) {
      const { url, headers } = found[i]!;
      requests[i] = new Request(url, { headers });
    }
    return objectFreeze(requests);
  }
}

export class CacheStorage {
  readonly #default: Cache;

  constructor(key: unknown) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    this.#default = new Cache(KEY, DEFAULT);
  }

  /** As in Workers: the cache that has no name. */
  get default(): Cache {
    return this.#default;
  }

  async match(request: unknown, options?: unknown): Promise<Response | undefined> {
    requireArguments(arguments.length, 1, "Failed to execute 'match' on 'CacheStorage'");
    this.#check();
    const name = (options as { cacheName?: unknown } | null | undefined)?.cacheName;
    return matchIn(name === undefined ? ANY : toId(name), request, toOptions(options));
  }

  async has(name: unknown): Promise<boolean> {
    requireArguments(arguments.length, 1, "Failed to execute 'has' on 'CacheStorage'");
    this.#check();
    const id = toId(name);
    return opened.has(id) || isDone(await askCache(`has\n\n\n${id}`, NO_BODY));
  }

  async open(name: unknown): Promise<Cache> {
    requireArguments(arguments.length, 1, "Failed to execute 'open' on 'CacheStorage'");
    this.#check();
    const text = toDOMString(name);
    const id = toId(text);
    if (opened.size < MAX_OPENED) opened.set(id, text);
    return new Cache(KEY, id);
  }

  async delete(name: unknown): Promise<boolean> {
    requireArguments(arguments.length, 1, "Failed to execute 'delete' on 'CacheStorage'");
    this.#check();
    const id = toId(name);
    const wasOpened = opened.delete(id);
    return isDone(await askCache(`drop\n\n\n${id}`, NO_BODY)) || wasOpened;
  }

  async keys(): Promise<string[]> {
    this.#check();
    const text = await readAnswer(await askCache('names\n\n\n', NO_BODY));
    const names: string[] = [];
    opened.forEach((name) => {
      names[names.length] = name;
    });
    const ids = text === '' ? [] : stringSplit(text, '\n');
    for (let i = 0; i < ids.length; i++) {
      if (!opened.has(ids[i]!)) names[names.length] = toName(ids[i]!);
    }
    return names;
  }

  /** Throws for any other object. */
  #check(): void {
    void this.#default;
  }
}

defineInterface(Cache, 'Cache', {
  match: 1,
  matchAll: 0,
  add: 1,
  addAll: 1,
  put: 2,
  delete: 1,
  keys: 0,
  constructor: 0,
});
defineInterface(CacheStorage, 'CacheStorage', { match: 1, has: 1, open: 1, delete: 1, keys: 0, constructor: 0 });

export const caches = new CacheStorage(KEY);

async function matchIn(id: string, request: unknown, options: QueryOptions): Promise<Response | undefined> {
  const { url, method, fields } = toQuery(request);
  if (!isAskable(url, method, options.ignoreMethod)) return undefined;
  return toResponse(await askCache(`match\n${url}\n${options.flags}\n${id}${fields}`, NO_BODY));
}

interface Found {
  readonly id: string;
  readonly url: string;
  readonly headers: [string, string][];
}

/** The stored requests that `request` selects; without one, all. */
async function find(id: string, request: unknown, { ignoreMethod, flags }: QueryOptions): Promise<Found[]> {
  let query: Query = { url: '', method: 'GET', fields: '' };
  if (request !== undefined) {
    query = toQuery(request);
    if (!isAskable(query.url, query.method, ignoreMethod)) return [];
  }
  const text = await readAnswer(await askCache(`find\n${query.url}\n${flags}\n${id}${query.fields}`, NO_BODY));
  const lines = stringSplit(text, '\n');
  const found: Found[] = [];
  for (let at = 0; at + 1 < lines.length; at++) {
    const entry: Found = { id: lines[at]!, url: lines[at + 1]!, headers: [] };
    for (at += 2; at + 1 < lines.length && lines[at] !== ''; at += 2) {
      entry.headers[entry.headers.length] = [lines[at]!, lines[at + 1]!];
    }
    found[found.length] = entry;
  }
  return found;
}

async function putIn(id: string, { url, fields }: Query, state: ResponseState): Promise<void> {
  const head = responseHead(state);
  if (state.status === 206) throw new TypeError('Cannot cache a partial response (status 206)');
  if (variesByAll(head)) throw new TypeError('Cannot cache a response with the header "Vary: *"');
  if (isBodyUnusable(state)) throw new TypeError('Cannot cache a response whose body has already been used');
  // A network error: nothing that HTTP could store.
  if (state.status === 0) return;
  const end = stringIndexOf(head, '\n');
  const responseFields = end === -1 ? '' : stringSlice(head, end);
  const start = `${state.status}\n${state.statusText}\n${state.url}\n${state.redirected ? 1 : 0}`;
  await askCache(`put\n${url}\n\n${id}${fields}\n\n${start}${responseFields}`, state);
}

/** Fetches all, then stores all: none when one fails. */
async function addTo(id: string, inputs: readonly unknown[]): Promise<void> {
  const requests: Request[] = [];
  const queries: Query[] = [];
  for (let i = 0; i < inputs.length; i++) {
    requests[i] = isRequest(inputs[i]) ? (inputs[i] as Request) : new Request(inputs[i]);
    queries[i] = toStorable(requests[i]);
  }
  // The same in every header: no response could tell them apart.
  rejectTwice(queries, (a, b) => withoutFragment(a.url) === withoutFragment(b.url) && a.fields === b.fields);
  const responses = await all(requests, (request) => startFetch(request, undefined, NETWORK));
  const states: ResponseState[] = [];
  for (let i = 0; i < responses.length; i++) {
    const state = (states[i] = responseState(responses[i])!);
    if (state.status < 200 || state.status > 299 || state.status === 206) {
      throw new TypeError(`Cannot add to the cache: ${queries[i]!.url} answered with status ${state.status}`);
    }
    if (variesByAll(responseHead(state))) throw new TypeError('Cannot cache a response with the header "Vary: *"');
  }
  rejectTwice(queries, (a, b, i) => isSame(a, b, responseHead(states[i]!)));
  await all(queries, (query, i) => putIn(id, query, states[i]!));
}

function rejectTwice(queries: readonly Query[], isTwice: (a: Query, b: Query, index: number) => boolean): void {
  for (let i = 0; i < queries.length; i++) {
    for (let other = 0; other < queries.length; other++) {
      if (other === i || !isTwice(queries[i]!, queries[other]!, i)) continue;
      throw new DOMException('Cannot add to the cache: a request is there twice', 'InvalidStateError');
    }
  }
}

/** Would the second take the place of the first, whose response has this head? */
function isSame(a: Query, b: Query, head: string): boolean {
  if (withoutFragment(a.url) !== withoutFragment(b.url)) return false;
  const names = varyNames(head);
  for (let i = 0; i < names.length; i++) if (field(a.fields, names[i]!) !== field(b.fields, names[i]!)) return false;
  return true;
}

function askCache(head: string, body: typeof NO_BODY | ResponseState): Promise<BindingAnswer> {
  return askBinding(CACHE_INDEX, head, body);
}

function toResponse({ head, body }: BindingAnswer): Response | undefined {
  const end = stringIndexOf(head, '\n');
  return stringSlice(head, 0, end) === FOUND ? fetchedResponse(stringSlice(head, end + 1), body, 'default') : undefined;
}

function isDone({ head }: BindingAnswer): boolean {
  return stringSlice(head, 0, stringIndexOf(head, '\n')) === DONE;
}

/** Does it for each, at the same time. Rejects when one does. */
function all<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  return new NativePromise((resolve, reject) => {
    const results: R[] = [];
    let pending = items.length;
    if (pending === 0) resolve(results);
    for (let i = 0; i < items.length; i++) {
      void promiseThen(
        work(items[i]!, i),
        (result) => {
          results[i] = result;
          if (--pending === 0) resolve(results);
        },
        reject,
      );
    }
  });
}
