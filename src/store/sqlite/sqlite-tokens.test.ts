import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TokenHash } from '../tokens.ts';
import { tokensContract } from '../tokens-contract.ts';
import { openSqliteStores } from './stores.ts';

tokensContract('openSqliteStores', () => openSqliteStores(':memory:'));

describe('SqliteTokens', () => {
  it('keeps tokens over a restart, with when they were last used', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'isola-tokens-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'registry.db');
    const hash = 'ab'.repeat(32) as TokenHash;
    const [createdOn, lastUsedOn] = ['2026-11-21T12:00:00.000Z', '2026-11-21T12:00:01.000Z'];
    const first = openSqliteStores(path);
    await first.tokens.create({ id: 'one', owner: '*', name: 'ci', scopes: ['admin'], createdOn }, hash);
    await first.tokens.markUsed('one', lastUsedOn);
    await first.close();
    const second = openSqliteStores(path);
    t.after(() => second.close());
    assert.equal((await second.tokens.find(hash))?.lastUsedOn, lastUsedOn);
  });
});
