import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AccountId } from '../../ids.ts';
import type { DataKeyId } from '../secret-keys.ts';
import { secretKeysContract } from '../secret-keys-contract.ts';
import { openSqliteStores } from './stores.ts';

secretKeysContract('openSqliteStores', () => openSqliteStores(':memory:'));

describe('SqliteSecretKeys', () => {
  it('dropOutdated() leaves nothing of an old key in the files', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'isola-keys-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const { registry, secretKeys, close } = openSqliteStores(join(dir, 'registry.db'));
    t.after(close);
    const account = 'main' as AccountId;
    await registry.putAccount({ id: account, name: 'Main', createdOn: new Date(0).toISOString() });
    await secretKeys.rewrap('master', ({ wrapped }) => wrapped);
    const hasKey = (): boolean => readdirSync(dir).some((name) => readFileSync(join(dir, name)).includes('canary-key'));
    await secretKeys.ensure({ id: 'one' as DataKeyId, account, wrapped: 'canary-key' }, 'master');
    assert.ok(hasKey());
    await secretKeys.nextGeneration();
    await secretKeys.dropOutdated();
    assert.ok(!hasKey());
  });
});
