import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AccountId } from '../../../ids.ts';
import { MAX_ACCOUNT_KV_BYTES } from '../../../limits.ts';
import { kvStoreContract } from '../../kv-contract.ts';
import { KvTables } from './kv-tables.ts';
import { openKvDatabase } from './open-database.ts';
import { openInlineKvStore, openSqliteKvStore } from './sqlite-kv-store.ts';

const A = 'a' as AccountId;
const ADDRESS = { account: A, namespace: 'n' };

kvStoreContract('the inline SqliteKvStore', async (now) => openInlineKvStore(':memory:', now));

describe('openSqliteKvStore', () => {
  const inFolder = async (test: (path: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(tmpdir(), 'isola-kv-'));
    try {
      await test(join(folder, 'kv.sqlite'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it('reads what was acknowledged just before, in another thread, and after it was closed', () =>
    inFolder(async (path) => {
      {
        await using store = await openSqliteKvStore(path);
        await store.createNamespace(A, { id: 'n', title: 'N' });
        for (let i = 0; i < 200; i++) {
          // oxlint-disable-next-line no-await-in-loop -- one behind the other is what is tested
          await store.put(ADDRESS, [{ key: 'k', value: Buffer.from(String(i)) }]);
          // oxlint-disable-next-line no-await-in-loop
          const { entries } = await store.read(ADDRESS, ['k'], { maxBytes: 100 });
          assert.equal(Buffer.from(entries![0]!.value).toString(), String(i));
        }
      }
      await using again = await openSqliteKvStore(path);
      assert.deepEqual(await again.list(ADDRESS, { prefix: '', limit: 5 }), { keys: [{ key: 'k' }], more: false });
    }));

  it('keeps the writes of others that were sent together with one that is refused', () =>
    inFolder(async (path) => {
      await using store = await openSqliteKvStore(path);
      await store.createNamespace(A, { id: 'n', title: 'N' });
      const writes = await Promise.allSettled([
        store.put(ADDRESS, [{ key: '1', value: Buffer.from('1') }]),
        store.put({ account: A, namespace: 'other' }, [{ key: '2', value: Buffer.from('2') }]),
        store.createNamespace(A, { id: 'm', title: 'N' }),
        store.put(ADDRESS, [{ key: '3', value: Buffer.from('3') }]),
      ]);
      assert.deepEqual(
        writes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
      );
      const { keys } = await store.list(ADDRESS, { prefix: '', limit: 5 });
      assert.deepEqual(keys, [{ key: '1' }, { key: '3' }]);
    }));
});

describe('KvTables', () => {
  const open = (now: () => number) => {
    const database = openKvDatabase(':memory:');
    const tables = new KvTables(database, now);
    tables.createNamespace(A, { id: 'n', title: 'N' });
    const count = (sql: string): unknown => Object.values(database.handle.prepare(sql).get()!)[0];
    return { database, tables, count };
  };

  it('put() refuses what would bring the account beyond MAX_ACCOUNT_KV_BYTES, and still takes what needs no more', () => {
    const { database, tables } = open(() => 0);
    tables.put(ADDRESS, [{ key: 'k', value: Buffer.alloc(10) }]);
    database.handle.exec(`UPDATE namespaces SET bytes = ${MAX_ACCOUNT_KV_BYTES}`);
    tables.put(ADDRESS, [{ key: 'k', value: Buffer.alloc(10) }]);
    const grow = () => database.transact(() => tables.put(ADDRESS, [{ key: 'k', value: Buffer.alloc(11) }]));
    assert.throws(grow, { kind: 'kvFull' });
    assert.equal(tables.read(ADDRESS, ['k'], { maxBytes: 100 }).entries?.[0]?.value.byteLength, 10);
    database.close();
  });

  it('sweep() clears away what has expired and what was deleted, and gives its room back', () => {
    let now = 0;
    const { database, tables, count } = open(() => now);
    const entries = Array.from({ length: 25 }, (_, i) => ({ key: `k${i}`, value: Buffer.alloc(1), expiresAt: 100 }));
    tables.put(ADDRESS, [...entries, { key: 'stays', value: Buffer.alloc(5) }]);
    now = 100_000;
    while (tables.sweep(10));
    assert.equal(count('SELECT count(*) FROM entries'), 1);
    assert.equal(count('SELECT bytes FROM namespaces'), 10);
    tables.deleteNamespace(ADDRESS);
    while (tables.sweep(10));
    assert.equal(count('SELECT count(*) FROM entries'), 0);
    assert.equal(count('SELECT count(*) FROM deleted_namespaces'), 0);
    database.close();
  });
});
