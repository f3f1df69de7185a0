import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
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

    it('list() gives all, each once', () =>
      withBlobs(async (blobs) => {
        const hashes = await blobs.putMany(Array.from({ length: 300 }, (_, i) => Buffer.from(`blob ${i}`)));
        assert.deepEqual((await listAll(blobs)).toSorted(), hashes.toSorted());
      }));

    it('removeUnused() removes what is not used, and what is not there is no error', () =>
      withBlobs(async (blobs) => {
        const [used, unused] = await blobs.putMany([Buffer.from('used'), Buffer.from('unused')]);
        const absent = hashOf(Buffer.from('absent'));
        const result = await blobs.removeUnused([used!, unused!, absent], async () => new Set([used!]));
        assert.deepEqual(result, { removed: 1, held: [] });
        assert.deepEqual(await listAll(blobs), [used]);
        assert.equal(await blobs.has(unused!), false);
        await blobs.put(Buffer.from('unused'));
        assert.equal(await blobs.has(unused!), true);
      }));

    it('hold() keeps what has been put since, also what was there, until it ends', () =>
      withBlobs(async (blobs) => {
        const [before, again] = await blobs.putMany([Buffer.from('before'), Buffer.from('again')]);
        const first = blobs.hold();
        await blobs.put(Buffer.from('again'));
        const second = blobs.hold();
        const fresh = await blobs.put(Buffer.from('fresh'));
        const remove = () => blobs.removeUnused([before!, again!, fresh], async () => new Set());
        assert.deepEqual(await remove(), { removed: 1, held: [again, fresh] });
        first[Symbol.dispose]();
        assert.deepEqual(await remove(), { removed: 1, held: [fresh] });
        second[Symbol.dispose]();
        assert.deepEqual(await remove(), { removed: 1, held: [] });
        assert.deepEqual(await listAll(blobs), []);
      }));

    it('put() of a blob that is just being removed stores it again', () =>
      withBlobs(async (blobs) => {
        const bytes = Buffer.from('just now');
        const sha256 = await blobs.put(bytes);
        let putting: Promise<Sha256> | undefined;
        using _hold = blobs.hold();
        const { removed } = await blobs.removeUnused([sha256], async () => {
          putting = blobs.put(bytes);
          return new Set();
        });
        assert.equal(removed, 1);
        await putting;
        assert.deepEqual(Buffer.from((await blobs.get(sha256))!), bytes);
      }));

    it('put() and removeUnused() at the same time never lose what somebody has a reference to', () =>
      withBlobs(async (blobs) => {
        const contents = Array.from({ length: 8 }, (_, i) => Buffer.from(`shared ${i}`));
        const references = new Map<Sha256, number>();
        const state = { writing: true };
        const count = (sha256: Sha256, change: number): void => {
          references.set(sha256, (references.get(sha256) ?? 0) + change);
        };
        const write = async (writer: number): Promise<void> => {
          for (let round = 0; round < 60; round++) {
            const bytes = contents[(writer + round) % contents.length]!;
            const hold = blobs.hold();
            const sha256 = await blobs.put(bytes);
            count(sha256, 1);
            hold[Symbol.dispose]();
            await nextTurn();
            assert.equal(await blobs.has(sha256), true, 'what is referred to is there');
            count(sha256, -1);
          }
        };
        let removals = 0;
        const collect = async (): Promise<void> => {
          while (state.writing) {
            const { removed } = await blobs.removeUnused(contents.map(hashOf), async (hashes) => {
              await nextTurn();
              return new Set(hashes.filter((sha256) => (references.get(sha256) ?? 0) > 0));
            });
            removals += removed;
          }
        };
        const writers = Promise.all([0, 3, 5].map(write)).finally(() => (state.writing = false));
        await Promise.all([writers, collect()]);
        assert.ok(removals > 0);
      }));
  });
}

async function listAll(blobs: Blobs): Promise<Sha256[]> {
  const all: Sha256[] = [];
  for await (const some of blobs.list()) all.push(...some);
  return all;
}

function hashOf(bytes: Uint8Array): Sha256 {
  return createHash('sha256').update(bytes).digest('hex') as Sha256;
}
