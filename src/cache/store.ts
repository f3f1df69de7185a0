/**
 * The cached responses of a node, in memory: by account, cache and URL.
 *
 * Room is shared fairly. No account has more than its share; when the node is full, the account that has most gives up
 * what it used least recently. So nobody loses an entry to somebody who has more.
 */
import { MAX_CACHE_ENTRIES, MAX_CACHE_VARIANTS } from '../limits.ts';
import type { AccountId } from '../ids.ts';
import { fieldValue, type Fields, type ResponseHead } from './head.ts';

export interface NewEntry {
  readonly cache: string;
  /** Of the request, with its fragment. */
  readonly url: string;
  readonly requestFields: Fields;
  readonly response: ResponseHead;
  readonly body: Buffer | undefined;
  readonly lifetimeMs: number;
  readonly ageSeconds: number;
}

export interface Entry extends NewEntry {
  readonly id: number;
  readonly storedAt: number;
  readonly expiresAt: number;
  readonly bytes: number;
  /** How many answers are being sent from it. */
  readers: number;
}

export interface Query {
  readonly url: string;
  readonly requestFields: Fields;
  readonly ignoreSearch: boolean;
  readonly ignoreVary: boolean;
}

interface Account {
  /** Of its entries, those that are gone but still being sent, and what is reserved for bodies on their way. */
  bytes: number;
  /** Least recently used first. */
  readonly entries: Map<number, Entry>;
  /** By cache and URL without fragment. */
  readonly caches: Map<string, Map<string, Entry[]>>;
}

const ENTRY_BYTES = 1_024; // what an entry costs beside its text and its body

export class CacheStore {
  readonly #maxBytes: number;
  readonly #maxAccountBytes: number;
  readonly #now: () => number;
  readonly #accounts = new Map<AccountId, Account>();
  #bytes = 0;
  #lastId = 0;

  /** `maxBytes` for all together, `maxAccountBytes` for each. */
  constructor({
    maxBytes,
    maxAccountBytes = maxBytes,
    now,
  }: {
    maxBytes: number;
    maxAccountBytes?: number;
    now: () => number;
  }) {
    this.#maxBytes = maxBytes;
    this.#maxAccountBytes = maxAccountBytes;
    this.#now = now;
  }

  /** Bytes held and reserved for all accounts. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first fresh entry that the query selects, in the named cache or, without a name, in any but the default one. */
  match(id: AccountId, cache: string, query: Query): Entry | undefined {
    const caches = this.#accounts.get(id)?.caches;
    const names = cache === '' ? [...(caches?.keys() ?? [])].filter((name) => name !== DEFAULT_CACHE) : [cache];
    for (const name of names) {
      const [first] = this.find(id, name, query);
      if (first === undefined) continue;
      this.#touch(id, first);
      return first;
    }
    return undefined;
  }

  /** All fresh entries that the query selects, in the order they were stored; without a query, all of the cache. */
  find(id: AccountId, cache: string, query: Query | undefined): Entry[] {
    return [...this.#select(id, cache, query)].toSorted((a, b) => a.id - b.id);
  }

  get(id: AccountId, entryId: number): Entry | undefined {
    const entry = this.#accounts.get(id)?.entries.get(entryId);
    if (entry === undefined || !this.#isFresh(id, entry)) return undefined;
    this.#touch(id, entry);
    return entry;
  }

  /** Keeps counting the entry until the function is called, evicted or not: it is being sent. */
  hold(id: AccountId, entry: Entry): () => void {
    entry.readers++;
    return () => {
      entry.readers--;
      const isGone = this.#accounts.get(id)?.entries.get(entry.id) !== entry;
      if (isGone && entry.readers === 0) this.release(id, entry.bytes);
    };
  }

  /** How old the response is by now. */
  ageSeconds({ ageSeconds, storedAt }: Entry): number {
    return Math.floor(ageSeconds + (this.#now() - storedAt) / 1e3);
  }

  /** In place of what has the same URL and the same headers of those it varies by. False: there is no room for it. */
  put(id: AccountId, made: NewEntry): boolean {
    this.delete(id, made.cache, { ...made, ignoreSearch: false, ignoreVary: false });
    const bytes = sizeOf(made);
    if (!this.reserve(id, bytes)) return false;
    const account = this.#accounts.get(id) as Account;
    const storedAt = this.#now();
    const entry: Entry = {
      ...made,
      id: ++this.#lastId,
      storedAt,
      expiresAt: storedAt + made.lifetimeMs,
      bytes,
      readers: 0,
    };
    let byUrl = account.caches.get(made.cache);
    if (byUrl === undefined) account.caches.set(made.cache, (byUrl = new Map()));
    const key = withoutFragment(made.url);
    const variants = byUrl.get(key);
    if (variants === undefined) byUrl.set(key, [entry]);
    else variants.push(entry);
    account.entries.set(entry.id, entry);
    if (variants !== undefined && variants.length > MAX_CACHE_VARIANTS) this.#remove(id, variants[0] as Entry);
    if (account.entries.size > MAX_CACHE_ENTRIES) this.#evictFrom(id, account);
    return true;
  }

  delete(id: AccountId, cache: string, query: Query): boolean {
    const found = this.find(id, cache, query);
    for (const entry of found) this.#remove(id, entry);
    return found.length > 0;
  }

  /** Names of the account's caches that have entries. */
  names(id: AccountId): string[] {
    const names = [...(this.#accounts.get(id)?.caches.keys() ?? [])];
    return names.filter((name) => name !== DEFAULT_CACHE && this.has(id, name));
  }

  has(id: AccountId, cache: string): boolean {
    for (const _ of this.#select(id, cache, undefined)) return true;
    return false;
  }

  drop(id: AccountId, cache: string): boolean {
    const found = this.find(id, cache, undefined);
    for (const entry of found) this.#remove(id, entry);
    return found.length > 0;
  }

  /** Sets room aside for a body on its way. False: the account's share, or the node, is full of such. */
  reserve(id: AccountId, bytes: number): boolean {
    const account = this.#accounts.get(id) ?? { bytes: 0, entries: new Map(), caches: new Map() };
    while (account.bytes + bytes > this.#maxAccountBytes) {
      if (!this.#evictFrom(id, account)) return false;
    }
    while (this.#bytes + bytes > this.#maxBytes) {
      if (!this.#evictFromLargest()) return false;
    }
    // Giving up its last entry, it was forgotten.
    this.#accounts.set(id, account);
    account.bytes += bytes;
    this.#bytes += bytes;
    return true;
  }

  release(id: AccountId, bytes: number): void {
    const account = this.#accounts.get(id);
    if (account === undefined) return;
    account.bytes -= bytes;
    this.#bytes -= bytes;
    if (account.bytes === 0) this.#accounts.delete(id);
  }

  *#select(id: AccountId, cache: string, query: Query | undefined): Iterable<Entry> {
    const byUrl = this.#accounts.get(id)?.caches.get(cache);
    if (byUrl === undefined) return;
    for (const entry of candidates(byUrl, query)) if (this.#isFresh(id, entry)) yield entry;
  }

  #isFresh(id: AccountId, entry: Entry): boolean {
    if (entry.expiresAt > this.#now()) return true;
    this.#remove(id, entry);
    return false;
  }

  #touch(id: AccountId, entry: Entry): void {
    const entries = this.#accounts.get(id)?.entries;
    entries?.delete(entry.id);
    entries?.set(entry.id, entry);
  }

  #evictFromLargest(): boolean {
    let largest: [AccountId, Account] | undefined;
    for (const candidate of this.#accounts) {
      if (candidate[1].entries.size > 0 && (largest === undefined || candidate[1].bytes > largest[1].bytes)) {
        largest = candidate;
      }
    }
    return largest !== undefined && this.#evictFrom(...largest);
  }

  #evictFrom(id: AccountId, { entries }: Account): boolean {
    const [oldest] = entries.values();
    if (oldest === undefined) return false;
    this.#remove(id, oldest);
    return true;
  }

  #remove(id: AccountId, entry: Entry): void {
    const account = this.#accounts.get(id);
    if (account?.entries.delete(entry.id) !== true) return;
    const byUrl = account.caches.get(entry.cache);
    const key = withoutFragment(entry.url);
    const others = byUrl?.get(key)?.filter((other) => other !== entry) ?? [];
    if (others.length > 0) byUrl?.set(key, others);
    else byUrl?.delete(key);
    if (byUrl?.size === 0) account.caches.delete(entry.cache);
    if (entry.readers === 0) this.release(id, entry.bytes);
  }
}

/** The name of `caches.default`; the names of others begin with another letter. */
export const DEFAULT_CACHE = 'd';

/** What it takes of the room, its body included. */
export function sizeOf({ cache, url, requestFields, response, body }: NewEntry): number {
  let bytes = ENTRY_BYTES + cache.length + 2 * url.length + response.url.length + (body?.byteLength ?? 0);
  for (const text of requestFields) bytes += text.length + 16;
  for (const text of response.fields) bytes += text.length + 16;
  return bytes;
}

function* candidates(byUrl: ReadonlyMap<string, Entry[]>, query: Query | undefined): Iterable<Entry> {
  if (query === undefined) {
    for (const entries of byUrl.values()) yield* entries;
    return;
  }
  const key = withoutFragment(query.url);
  if (!query.ignoreSearch) {
    for (const entry of byUrl.get(key) ?? []) if (query.ignoreVary || selects(entry, query)) yield entry;
    return;
  }
  const path = withoutSearch(key);
  for (const [url, entries] of byUrl) {
    if (withoutSearch(url) !== path) continue;
    for (const entry of entries) if (query.ignoreVary || selects(entry, query)) yield entry;
  }
}

/** Are the headers that the response varies by the same in both requests (RFC 9111 §4.1)? */
function selects(entry: Entry, query: Query): boolean {
  const vary = fieldValue(entry.response.fields, 'vary');
  if (vary === undefined) return true;
  return vary
    .toLowerCase()
    .split(',')
    .every((name) => {
      const field = name.trim();
      return fieldValue(entry.requestFields, field) === fieldValue(query.requestFields, field);
    });
}

function withoutFragment(url: string): string {
  const at = url.indexOf('#');
  return at < 0 ? url : url.slice(0, at);
}

function withoutSearch(url: string): string {
  const at = url.indexOf('?');
  return at < 0 ? url : url.slice(0, at);
}
