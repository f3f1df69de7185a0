import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
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
});
