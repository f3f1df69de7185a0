import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Sha256 } from '../ids.ts';
import type { Blobs } from './blobs.ts';

/** The tests that every Blobs adapter passes. `open` gives an empty store, and what takes it away again. */
export function blobsContract(name: string, open: () => { blobs: Blobs; dispose: () => void }): void {
  const withBlobs = async (test: (blobs: Blobs) => Promise<void>): Promise<void> => {
    const { blobs, dispose } = open();
    try {
      await test(blobs);
    } finally {
      dispose();
    }
  };

  describe(`${name} keeps the Blobs contract`, () => {
    it('put() resolves with the SHA-256 and get() gives the bytes back', () =>
      withBlobs(async (blobs) => {
        const bytes = Buffer.from('export default {}');
        const sha256 = await blobs.put(bytes);
        assert.equal(sha256, hashOf(bytes));
        assert.deepEqual(Buffer.from((await blobs.get(sha256))!), bytes);
        assert.equal(await blobs.has(sha256), true);
      }));

    it('get() is undefined and has() false for what was never put', () =>
      withBlobs(async (blobs) => {
        const absent = hashOf(Buffer.from('absent'));
        assert.equal(await blobs.get(absent), undefined);
        assert.equal(await blobs.has(absent), false);
      }));

    it('open() reads parts', () =>
      withBlobs(async (blobs) => {
        const sha256 = await blobs.put(Buffer.from('0123456789'));
        const blob = (await blobs.open(sha256))!;
        assert.equal(blob.bytes, 10);
        assert.equal(String(await blob.read(3, 4)), '3456');
        assert.equal(String(await blob.read(8, 4)), '89');
        assert.equal((await blob.read(10, 4)).byteLength, 0);
        await blob.close();
        assert.equal(await blobs.open(hashOf(Buffer.from('absent'))), undefined);
      }));

    it('keeps empty blobs', () =>
      withBlobs(async (blobs) => {
        assert.equal((await blobs.get(await blobs.put(new Uint8Array())))!.byteLength, 0);
      }));

    it('put() of the same bytes, again and at the same time, is one blob', () =>
      withBlobs(async (blobs) => {
        const bytes = Buffer.alloc(100_000, 7);
        const hashes = await Promise.all([blobs.put(bytes), blobs.put(bytes), blobs.put(bytes)]);
        hashes.push(await blobs.put(bytes));
        assert.deepEqual(new Set(hashes), new Set([hashOf(bytes)]));
        assert.deepEqual(Buffer.from((await blobs.get(hashOf(bytes)))!), bytes);
      }));

    it('putMany() gives hashes in the order of the contents, duplicates too', () =>
      withBlobs(async (blobs) => {
        const contents = Array.from({ length: 50 }, (_, i) => Buffer.from(`blob ${i % 20}`));
        const hashes = await blobs.putMany(contents);
        assert.deepEqual(hashes, contents.map(hashOf));
        for (const sha256 of hashes) assert.equal(hashOf((await blobs.get(sha256))!), sha256);
      }));

    it('putMany() of nothing is nothing', () =>
      withBlobs(async (blobs) => {
        assert.deepEqual(await blobs.putMany([]), []);
      }));
  });
}

function hashOf(bytes: Uint8Array): Sha256 {
  return createHash('sha256').update(bytes).digest('hex') as Sha256;
}
