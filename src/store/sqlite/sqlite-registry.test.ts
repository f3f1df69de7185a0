import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import type { AccountId } from '../../ids.ts';
import { registryContract } from '../registry-contract.ts';
import { openSqliteRegistry } from './stores.ts';

registryContract('openSqliteRegistry', () => openSqliteRegistry(':memory:'));

describe('openSqliteRegistry', () => {
  it('finds at a second opening what the first one stored, in the same epoch', async (t) => {
    const path = join(makeFolder(t), 'registry.db');
    const id = 'main' as AccountId;
    let epoch: string;
    {
      await using registry = openSqliteRegistry(path);
      await registry.putAccount({ id, name: 'Main', createdOn: '2026-11-21T00:00:00.000Z' });
      ({ epoch } = await registry.cursor());
    }
    await using reopened = openSqliteRegistry(path);
    assert.equal((await reopened.account(id))?.name, 'Main');
    assert.equal((await reopened.cursor()).epoch, epoch);
  });

  it('refuses a database that a newer program wrote', (t) => {
    const path = join(makeFolder(t), 'registry.db');
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 1000');
    database.close();
    assert.throws(() => openSqliteRegistry(path), /its schema is version 1000, this program knows up to 2/);
  });

  it('refuses a database that another platform has open', async (t) => {
    const path = join(makeFolder(t), 'registry.db');
    {
      await using _first = openSqliteRegistry(path);
      assert.throws(() => openSqliteRegistry(path), /another isola is using this data folder/);
    }
    await openSqliteRegistry(path).close();
  });

  it('close() twice is fine', async () => {
    const registry = openSqliteRegistry(':memory:');
    await registry.close();
    await registry.close();
  });
});

function makeFolder(t: { after(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'isola-registry-'));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}
