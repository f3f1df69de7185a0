import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../../ids.ts';
import { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { openSqliteRegistry } from './stores.ts';

const FIXTURE = join(import.meta.dirname, '../../../test/fixtures/data-schema-1/registry.sqlite');
const FIRST = { name: 'first', sql: 'CREATE TABLE one (id INTEGER)' };
const SECOND = { name: 'second', sql: 'ALTER TABLE one ADD COLUMN two TEXT' };

describe('migrate', () => {
  it('applies each migration once, also those that came later', (t) => {
    const database = open(t);
    migrate(database, { path: 'x', migrations: [FIRST] });
    migrate(database, { path: 'x', migrations: [FIRST, SECOND] });
    migrate(database, { path: 'x', migrations: [FIRST, SECOND] });
    database.handle.exec(`INSERT INTO one (id, two) VALUES (1, 'b')`);
    assert.deepEqual(namesIn(database), ['first', 'second']);
  });

  it('leaves nothing of a migration that fails half-way, and everything before it', (t) => {
    const database = open(t);
    const bad = { name: 'bad', sql: 'CREATE TABLE half (id INTEGER); NONSENSE' };
    assert.throws(() => migrate(database, { path: 'x', migrations: [FIRST, bad] }), /syntax error/);
    assert.deepEqual(namesIn(database), ['first']);
    assert.throws(() => database.handle.exec('SELECT * FROM half'), /no such table/);
  });

  it('refuses a file with a migration that it does not know, and changes nothing', (t) => {
    const database = open(t);
    migrate(database, { path: 'x', migrations: [FIRST, SECOND] });
    const third = { name: 'third', sql: 'DROP TABLE one' };
    assert.throws(
      () => migrate(database, { path: 'x', migrations: [FIRST, third] }),
      /a newer isola wrote it, with second/,
    );
    assert.deepEqual(namesIn(database), ['first', 'second']);
  });

  it('refuses a file of another scheme', (t) => {
    const database = open(t);
    database.handle.exec('PRAGMA user_version = 1000');
    assert.throws(() => migrate(database, { path: 'x', migrations: [] }), /its schema is version 1000, this program/);
  });

  it('opens what the first schema wrote, with all that is in it', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'isola-upgrade-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'registry.sqlite');
    cpSync(FIXTURE, path);
    for (let opening = 0; opening < 2; opening += 1) {
      await using registry = openSqliteRegistry(path);
      const { accounts } = await registry.listAccounts();
      assert.deepEqual(
        accounts.map(({ id, limits }) => [id, limits]),
        [
          ['acme', { cpuMs: 100 }],
          ['main', {}],
        ],
      );
      const state = await registry.route('main' as AccountId, 'hello' as WorkerName);
      assert.deepEqual(
        state?.route.shares.map(({ percentage }) => percentage),
        [40, 60],
      );
    }
  });
});

function open(t: { after(fn: () => void): void }): Database {
  const database = new Database(new DatabaseSync(':memory:'));
  t.after(() => database.close());
  return database;
}

function namesIn({ handle }: Database): unknown[] {
  return handle
    .prepare('SELECT name FROM migrations ORDER BY name')
    .all()
    .map(({ name }) => name);
}
