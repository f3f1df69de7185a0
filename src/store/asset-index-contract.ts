import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, Sha256, WorkerName } from '../ids.ts';
import type { AssetEntry, AssetIndex, AssetUpload } from './asset-index.ts';

const ACME = 'acme' as AccountId;
const OTHER = 'other' as AccountId;
const NOW = '2026-11-21T12:00:00.000Z';
const SOON = '2026-11-21T12:30:00.000Z';
const LATER = '2026-11-21T13:00:00.000Z';
const MUCH_LATER = '2026-11-21T14:00:00.000Z';
const QUOTA = { files: 10, bytes: 100 };

/** The tests that every AssetIndex adapter passes. `open` gives an empty one. */
export function assetIndexContract(name: string, open: () => { assets: AssetIndex; close(): Promise<void> }): void {
  const withIndex = async (test: (index: AssetIndex) => Promise<void>): Promise<void> => {
    const stores = open();
    try {
      await test(stores.assets);
    } finally {
      await stores.close();
    }
  };

  describe(`${name} keeps the AssetIndex contract`, () => {
    it('an upload is complete once all that was missing has come, in whatever order and however often', () =>
      withIndex(async (index) => {
        const upload = toUpload('one', { '/a': 'a', '/b': 'b', '/b2': 'b' });
        await index.begin(upload, { missing: sizes('a', 'b'), now: NOW });
        assert.deepEqual(await index.upload(ACME, 'one', SOON), upload);
        assert.deepEqual(await index.wanted('one', ['a', 'c']), sizes('a'));
        assert.equal((await index.add(upload, [entry('a')], QUOTA)).complete, false);
        assert.equal((await index.add(upload, [entry('a')], QUOTA)).complete, false);
        assert.equal((await index.add(upload, [entry('b')], QUOTA)).complete, true);
        assert.equal((await index.add(upload, [entry('b')], QUOTA)).complete, true);
        assert.deepEqual(await index.usage(ACME), { files: 2, bytes: 20 });
        assert.deepEqual(await index.find(ACME, ['a', 'c']), new Map([['a', entry('a')]]));
      }));

    it('nothing of an account is found by another', () =>
      withIndex(async (index) => {
        const upload = toUpload('one', { '/a': 'a' });
        await index.begin(upload, { missing: sizes('a'), now: NOW });
        await index.add(upload, [entry('a')], QUOTA);
        assert.equal((await index.find(OTHER, ['a'])).size, 0);
        assert.equal(await index.upload(OTHER, 'one', NOW), undefined);
        assert.deepEqual(await index.usage(OTHER), { files: 0, bytes: 0 });
        await index.add({ id: 'two', account: OTHER }, [entry('a', 'f')], QUOTA);
        assert.deepEqual(await index.find(OTHER, ['a']), new Map([['a', entry('a', 'f')]]));
        assert.deepEqual(await index.find(ACME, ['a']), new Map([['a', entry('a')]]));
      }));

    it('add() refuses other bytes under a hash, and what is beyond the quota, and then changes nothing', () =>
      withIndex(async (index) => {
        const upload = toUpload('one', {});
        await index.add(upload, [entry('a')], QUOTA);
        const before = await index.usage(ACME);
        await assert.rejects(index.add(upload, [entry('b'), entry('a', 'f')], QUOTA), { kind: 'assetUploadInvalid' });
        await assert.rejects(index.add(upload, [entry('b')], { files: 1, bytes: 100 }), { kind: 'assetLimit' });
        await assert.rejects(index.add(upload, [entry('b')], { files: 10, bytes: 19 }), { kind: 'assetLimit' });
        assert.deepEqual(await index.usage(ACME), before);
        assert.equal((await index.find(ACME, ['b'])).size, 0);
        await index.add(upload, [entry('b')], { files: 2, bytes: 20 });
      }));

    it('an upload is not found when its time is over, and forgotten an hour later: until then its files stay', () =>
      withIndex(async (index) => {
        await index.begin(toUpload('one', { '/a': 'a' }), { missing: sizes('a'), now: NOW });
        assert.equal(await index.upload(ACME, 'one', LATER), undefined);
        await index.add(toUpload('one', {}), [entry('a')], QUOTA);
        await index.begin(toUpload('two', {}), { missing: new Map(), now: LATER });
        assert.equal(await index.forgetUnused(ACME, () => false), 0);
        await index.begin(toUpload('three', {}), { missing: new Map(), now: MUCH_LATER });
        assert.equal(await index.forgetUnused(ACME, () => false), 1);
        assert.equal(await index.upload(ACME, 'one', NOW), undefined);
        assert.equal((await index.wanted('one', ['a'])).size, 0);
      }));

    it('forgetUnused() keeps what is used, and what an upload under way has in its manifest', () =>
      withIndex(async (index) => {
        await index.add(toUpload('none', {}), [entry('a'), entry('b'), entry('c')], QUOTA);
        await index.begin(toUpload('one', { '/a': 'a' }), { missing: new Map(), now: NOW });
        assert.equal(await index.forgetUnused(ACME, ({ hash }) => hash === 'b'), 1);
        assert.deepEqual([...(await index.find(ACME, ['a', 'b', 'c'])).keys()], ['a', 'b']);
        assert.deepEqual(await index.usage(ACME), { files: 2, bytes: 20 });
      }));

    it('deleteAccount() forgets files and uploads of the account alone', () =>
      withIndex(async (index) => {
        const upload = toUpload('one', { '/a': 'a' });
        await index.begin(upload, { missing: sizes('a'), now: NOW });
        await index.add(upload, [entry('a')], QUOTA);
        await index.add({ id: 'two', account: OTHER }, [entry('a')], QUOTA);
        await index.deleteAccount(ACME);
        assert.equal(await index.upload(ACME, 'one', NOW), undefined);
        assert.deepEqual(await index.usage(ACME), { files: 0, bytes: 0 });
        assert.equal((await index.find(OTHER, ['a'])).size, 1);
      }));
  });
}

function toUpload(id: string, files: Readonly<Record<string, string>>): AssetUpload {
  const manifest = Object.fromEntries(Object.entries(files).map(([path, hash]) => [path, { hash, size: 10 }]));
  return { id, account: ACME, worker: 'site' as WorkerName, manifest, expiresOn: LATER };
}

function entry(hash: string, content = hash): AssetEntry {
  return { hash, sha256: content.repeat(64) as Sha256, bytes: 10, type: hash === 'a' ? null : 'text/css' };
}

function sizes(...hashes: readonly string[]): Map<string, number> {
  return new Map(hashes.map((hash) => [hash, 10]));
}
