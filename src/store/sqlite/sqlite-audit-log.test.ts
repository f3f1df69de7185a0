import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AccountId } from '../../ids.ts';
import type { AuditDraft, AuditFilter } from '../audit.ts';
import { auditContract, makeEntry } from '../audit-contract.ts';
import { openSqliteAuditLog } from './sqlite-audit-log.ts';

auditContract('openSqliteAuditLog', () => openSqliteAuditLog(':memory:'));

describe('openSqliteAuditLog', () => {
  it('says of what a stopped process left open that its end is unknown', async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'isola-audit-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const path = join(dir, 'audit.sqlite');
    {
      await using audit = openSqliteAuditLog(path);
      await audit.end(await audit.begin(makeEntry()), 200);
      await audit.begin(makeEntry());
    }
    await using audit = openSqliteAuditLog(path);
    const open = await audit.begin(makeEntry());
    assert.deepEqual(
      (await audit.list()).map(({ status }) => status),
      ['pending', 'unknown', 200],
    );
    await audit.end(open, 200);
  });

  it('keeps so many entries, and so many days', async () => {
    let now = 0;
    await using audit = openSqliteAuditLog(':memory:', { maxEntries: 10, maxAgeMs: 100, now: () => now });
    for (let at = 0; at < 50; at += 1) await audit.begin(makeEntry({ at }));
    assert.ok((await audit.list()).length <= 21);
    now = 149;
    for (let count = 0; count < 12; count += 1) await audit.begin(makeEntry({ at: now }));
    assert.ok((await audit.list()).every(({ at }) => at >= 49));
  });

  it('takes room from whoever has the most: nobody pushes out what others did, or what was done to him', async () => {
    await using audit = openSqliteAuditLog(':memory:', { maxEntries: 100 });
    const write = async (count: number, entry: Partial<AuditDraft>): Promise<void> => {
      // oxlint-disable-next-line no-await-in-loop -- in order
      for (let i = 0; i < count; i += 1) await audit.begin(makeEntry(entry));
    };
    const mallory = 'mallory' as AccountId;
    await write(20, { account: 'acme' as AccountId, tokenId: 'a' });
    await write(3, { account: mallory, tokenId: 'operator', action: 'account.status' });
    await write(5_000, { account: mallory, tokenId: 'm' });
    const count = async (filter: AuditFilter): Promise<number> =>
      (await audit.list({ ...filter, limit: 10_000 })).length;
    assert.equal(await count({ account: 'acme' as AccountId }), 20);
    assert.equal(await count({ action: 'account.status' }), 3);
    assert.ok((await count({})) <= 201);
    const newest = await audit.list({ limit: 1 });
    assert.equal(newest[0]?.id, 5_023);
  });
});
