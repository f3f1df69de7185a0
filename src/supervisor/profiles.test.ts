import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { Registry } from '../store/index.ts';
import type { CellProcess } from './cell-process.ts';
import { Cordons } from './cordons.ts';
import { Profiles } from './profiles.ts';

const KEY = { account: 'acme' as AccountId, worker: 'shop' as WorkerName };
const NOBODY_LEAVES = { seconds: 60, signal: new AbortController().signal };

/** One whose end the test decides, and which answers what it is asked when the test says so. */
function createCell() {
  const ended = Promise.withResolvers<void>();
  const prepared = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const cell = {
    lost: false,
    ended: ended.promise,
    startProfile: () => Promise.resolve(),
    prepare: () => (asked.resolve(), prepared.promise),
    stopProfile: () => Promise.reject(new Error('not in this test')),
    reload: () => Promise.resolve(),
  };
  const end = () => {
    cell.lost = true;
    ended.resolve();
  };
  return { cell: cell as unknown as CellProcess, end, prepared, asked: asked.promise };
}

function createProfiles() {
  const cordons = new Cordons(() => []);
  const cells: ReturnType<typeof createCell>[] = [];
  let serving = Promise.withResolvers<void>();
  const profiles = new Profiles({
    cordons,
    cells: {
      pick: () => {
        const made = createCell();
        cells.push(made);
        return Promise.resolve(made.cell);
      },
      releaseUnused: () => {},
    },
    gateway: {
      setCordons: async ({ workers }) => {
        if (workers.length > 0) serving.resolve();
      },
    },
    registry: {
      route: async () => ({ route: { shares: [{ version: 'v1' as VersionId, percentage: 100 }] } }),
    } as unknown as Registry,
    mapTexts: async (_account, _version, texts) => texts,
  });
  const nextServing = async () => {
    await serving.promise;
    serving = Promise.withResolvers();
  };
  return { profiles, cordons, cells, nextServing };
}

/** Lets everything that can go on without the test do so. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('Profiles', () => {
  const isLost = { kind: 'profileLost' };

  it('leave a Worker where it is when its cell ends as it is made ready', async () => {
    const { profiles, cordons, cells } = createProfiles();
    const taking = profiles.take(KEY, NOBODY_LEAVES);
    await settle();
    await cells[0]!.asked;
    cells[0]!.end();
    await assert.rejects(taking, isLost);
    // What was asked of the cell fails after that.
    cells[0]!.prepared.reject(new Error('the channel has closed'));
    await settle();
    assert.deepEqual([cordons.of(KEY), cordons.isUsed('f.acme'), cordons.table().workers], ['default', false, []]);
  });

  it('are over when the client goes and when the platform stops', async () => {
    const { profiles, cordons, cells, nextServing } = createProfiles();
    const client = new AbortController();
    const first = profiles.take(KEY, { seconds: 60, signal: client.signal });
    await settle();
    cells[0]!.prepared.resolve();
    await nextServing();
    assert.equal(cordons.of(KEY), 'f.acme');
    client.abort();
    await assert.rejects(first, isLost);
    assert.equal(cordons.of(KEY), 'default');
    cells[0]!.end();

    const second = profiles.take(KEY, NOBODY_LEAVES);
    await settle();
    profiles.close();
    await assert.rejects(second, isLost);
    assert.equal(cordons.isUsed('f.acme'), false);
  });

  it('wait for the process of the last one of the account', async () => {
    const { profiles, cells } = createProfiles();
    const client = new AbortController();
    const first = profiles.take(KEY, { seconds: 60, signal: client.signal });
    await settle();
    client.abort();
    await assert.rejects(first, isLost);

    const next = profiles.take(KEY, NOBODY_LEAVES);
    await settle();
    assert.equal(cells.length, 1);
    await assert.rejects(profiles.take(KEY, NOBODY_LEAVES), { kind: 'profileBusy' });
    cells[0]!.end();
    await settle();
    assert.equal(cells.length, 2);
    profiles.close();
    await assert.rejects(next, isLost);
  });
});
