/** What every adapter of the Exports port keeps. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import type { Exports } from './exports.ts';

const ACME = { account: 'acme' as AccountId, month: '2026-11', meter: 'requests' };
const PENDING = { identifier: 'i', value: 5, at: 1_796_000_000 };

/** `reopen` gives the same store as another process would find it. */
export function exportsContract(name: string, open: () => { exports: Exports; reopen: () => Promise<Exports> }): void {
  describe(`${name} keeps the Exports contract`, () => {
    it('get() is nothing exported at first', async () => {
      await using exports = open().exports;
      assert.deepEqual(await exports.get(ACME), { exported: 0 });
    });

    it('get() is what was put last, by account, month and meter', async () => {
      await using exports = open().exports;
      await exports.put(ACME, { exported: 1 });
      await exports.put(ACME, { exported: 7, pending: { ...PENDING, unknownSince: 3 } });
      assert.deepEqual(await exports.get(ACME), { exported: 7, pending: { ...PENDING, unknownSince: 3 } });
      await exports.put(ACME, { exported: 7, pending: PENDING });
      assert.deepEqual(await exports.get(ACME), { exported: 7, pending: PENDING });
      await exports.put(ACME, { exported: 12 });
      assert.deepEqual(await exports.get(ACME), { exported: 12 });
      for (const other of [{ account: 'other' as AccountId }, { month: '2026-12' }, { meter: 'cpu_ms' }]) {
        // oxlint-disable-next-line no-await-in-loop
        assert.deepEqual(await exports.get({ ...ACME, ...other }), { exported: 0 });
      }
    });

    it('put() outlives the process', async () => {
      const { exports, reopen } = open();
      await exports.put(ACME, { exported: 7, pending: PENDING });
      await exports.close();
      await using again = await reopen();
      assert.deepEqual(await again.get(ACME), { exported: 7, pending: PENDING });
    });

    it('deleteAccount() takes all of it away, and nothing else', async () => {
      await using exports = open().exports;
      const other = { ...ACME, account: 'other' as AccountId };
      await exports.put(ACME, { exported: 1 });
      await exports.put(other, { exported: 2 });
      await exports.deleteAccount(ACME.account);
      assert.deepEqual([await exports.get(ACME), await exports.get(other)], [{ exported: 0 }, { exported: 2 }]);
    });
  });
}
