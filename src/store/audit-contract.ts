import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import type { AuditDraft, AuditLog } from './audit.ts';

const MAIN = 'main' as AccountId;
const OTHER = 'other' as AccountId;

/** The tests that every AuditLog adapter passes. `open` gives an empty one. */
export function auditContract(name: string, open: () => AuditLog): void {
  describe(`${name} keeps the AuditLog contract`, () => {
    it('list() shows what was begun and how it ended, newest first', async () => {
      await using audit = open();
      const first = await audit.begin(makeEntry({ action: 'token.create' }));
      const second = await audit.begin(makeEntry({ action: 'token.revoke' }));
      await audit.end(first, 200);
      const records = await audit.list();
      assert.deepEqual(records, [
        { ...makeEntry({ action: 'token.revoke' }), id: second, status: 'pending' },
        { ...makeEntry({ action: 'token.create' }), id: first, status: 200 },
      ]);
    });

    it('end() counts once', async () => {
      await using audit = open();
      const id = await audit.begin(makeEntry());
      await audit.end(id, 404);
      await audit.end(id, 200, 'another');
      assert.equal((await audit.list())[0]?.status, 404);
      const made = await audit.begin(makeEntry({ target: '' }));
      await audit.end(made, 200, 'made');
      const targets = (await audit.list()).map(({ target }) => target);
      assert.deepEqual(targets, ['made', 'hello']);
    });

    it('list() filters by account, actor, action or its beginning, and time', async () => {
      await using audit = open();
      await audit.begin(makeEntry({ at: 1, account: OTHER }));
      await audit.begin(makeEntry({ at: 2, actor: 'ci' }));
      await audit.begin(makeEntry({ at: 3, action: 'token.create' }));
      await audit.begin(makeEntry({ at: 4, action: 'tokens' }));
      const times = async (filter: object): Promise<number[]> => (await audit.list(filter)).map(({ at }) => at);
      assert.deepEqual(await times({ account: OTHER }), [1]);
      assert.deepEqual(await times({ actor: 'ci' }), [2]);
      assert.deepEqual(await times({ action: 'token' }), [3]);
      assert.deepEqual(await times({ action: 'token.create' }), [3]);
      assert.deepEqual(await times({ since: 3 }), [4, 3]);
      assert.deepEqual(await times({ account: MAIN, since: 2, actor: 'ci' }), [2]);
    });

    it('list() pages backwards', async () => {
      await using audit = open();
      for (let at = 1; at <= 5; at += 1) await audit.begin(makeEntry({ at }));
      const newest = await audit.list({ limit: 2 });
      const next = await audit.list({ limit: 2, before: newest.at(-1)!.id });
      assert.deepEqual(
        [...newest, ...next].map(({ at }) => at),
        [5, 4, 3, 2],
      );
    });
  });
}

export function makeEntry(overrides: Partial<AuditDraft> = {}): AuditDraft {
  return {
    at: 1_000,
    account: MAIN,
    actor: 'operator',
    tokenId: 'operator',
    action: 'worker.delete',
    target: 'hello',
    ip: '127.0.0.1',
    ...overrides,
  };
}
