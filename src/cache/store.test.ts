import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import { MAX_CACHE_ENTRIES, MAX_CACHE_VARIANTS } from '../limits.ts';
import { CacheStore, type NewEntry, sizeOf } from './store.ts';

const A = 'a' as AccountId;
const B = 'b' as AccountId;
const KIB = 1024;

function entry(url: string, { vary = '', value = '', bytes = 0, lifetimeMs = 60_000 } = {}): NewEntry {
  return {
    cache: 'd',
    url,
    requestFields: ['x-vary', value],
    response: { status: 200, statusText: '', url: '', redirected: false, fields: vary === '' ? [] : ['vary', vary] },
    body: Buffer.alloc(bytes),
    lifetimeMs,
    ageSeconds: 0,
  };
}

const query = (url: string, value = '') => ({
  url,
  requestFields: ['x-vary', value],
  ignoreSearch: false,
  ignoreVary: false,
});

describe('CacheStore', () => {
  it('gives an entry as long as it is fresh, and no longer', () => {
    let now = 0;
    const store = new CacheStore({ maxBytes: 100 * KIB, now: () => now });
    assert.ok(store.put(A, entry('http://x/', { lifetimeMs: 1_000 })));
    now = 999;
    assert.ok(store.match(A, 'd', query('http://x/#fragment')));
    now = 1_000;
    assert.equal(store.match(A, 'd', query('http://x/')), undefined);
    assert.equal(store.bytes, 0);
  });

  it('keeps accounts apart', () => {
    const store = new CacheStore({ maxBytes: 100 * KIB, now: () => 0 });
    store.put(A, entry('http://x/'));
    const id = store.find(A, 'd', undefined)[0]?.id ?? 0;
    assert.equal(store.match(B, 'd', query('http://x/')), undefined);
    assert.equal(store.get(B, id), undefined);
    assert.equal(store.delete(B, 'd', query('http://x/')), false);
    assert.deepEqual(store.names(B), []);
    assert.equal(store.get(A, id)?.url, 'http://x/');
  });

  it('takes room from the account that has most, so that a small one keeps what it has', () => {
    const store = new CacheStore({ maxBytes: 100 * KIB, now: () => 0 });
    store.put(B, entry('http://b/', { bytes: 10 * KIB }));
    for (let index = 0; index < 50; index++) store.put(A, entry(`http://a/${index}`, { bytes: 10 * KIB }));
    assert.ok(store.match(B, 'd', query('http://b/')));
    assert.ok(store.match(A, 'd', query('http://a/49')));
    assert.equal(store.match(A, 'd', query('http://a/0')), undefined);
    for (let index = 0; index < 50; index++) store.put(B, entry(`http://b/${index}`, { bytes: 10 * KIB }));
    const kept = store.find(A, 'd', undefined).length;
    assert.ok(kept >= 4, `${kept} entries are left of the account that asked for nothing more`);
    assert.ok(store.bytes <= 100 * KIB);
  });

  it('gives no account more than its share', () => {
    const store = new CacheStore({ maxBytes: 100 * KIB, maxAccountBytes: 50 * KIB, now: () => 0 });
    assert.equal(store.put(A, entry('http://a/', { bytes: 50 * KIB })), false);
    for (let index = 0; index < 20; index++) store.put(A, entry(`http://a/${index}`, { bytes: 10 * KIB }));
    assert.ok(store.bytes <= 50 * KIB);
  });

  it('counts bodies on their way, which nothing can evict', () => {
    const store = new CacheStore({ maxBytes: 100 * KIB, maxAccountBytes: 50 * KIB, now: () => 0 });
    assert.ok(store.reserve(A, 40 * KIB));
    assert.equal(store.reserve(A, 11 * KIB), false);
    assert.ok(store.reserve(B, 50 * KIB));
    assert.equal(store.reserve('c' as AccountId, 11 * KIB), false);
    store.release(A, 40 * KIB);
    store.release(B, 50 * KIB);
    assert.equal(store.bytes, 0);
  });

  it(`keeps ${MAX_CACHE_VARIANTS} variants of a URL`, () => {
    const store = new CacheStore({ maxBytes: 10_000 * KIB, now: () => 0 });
    for (let index = 0; index <= MAX_CACHE_VARIANTS; index++) {
      store.put(A, entry('http://x/', { vary: 'X-Vary', value: String(index) }));
    }
    assert.equal(store.find(A, 'd', undefined).length, MAX_CACHE_VARIANTS);
    assert.equal(store.match(A, 'd', query('http://x/', '0')), undefined);
    assert.ok(store.match(A, 'd', query('http://x/', String(MAX_CACHE_VARIANTS))));
  });

  it(`keeps ${MAX_CACHE_ENTRIES} entries of an account`, () => {
    const store = new CacheStore({ maxBytes: 100_000 * KIB, now: () => 0 });
    for (let index = 0; index <= MAX_CACHE_ENTRIES; index++) store.put(A, entry(`http://x/${index}`));
    assert.equal(store.find(A, 'd', undefined).length, MAX_CACHE_ENTRIES);
    assert.ok(store.bytes >= MAX_CACHE_ENTRIES * sizeOf(entry('http://x/0')));
    store.drop(A, 'd');
    assert.equal(store.bytes, 0);
  });
});
