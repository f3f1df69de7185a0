import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { CellExit, CellProcess } from './cell-process.ts';
import { type CellPlace, Cells } from './cells.ts';

const DAY_MS = 24 * 3_600_000;
const EXIT: CellExit = { reason: 'SIGKILL', suspect: undefined, isOwnFault: false };

/** Cells without processes: `started` has all that ever were, `listed` what a gateway would know. */
function open(count: number) {
  const started: string[] = [];
  const stopped: string[] = [];
  let listed: string[] = [];
  const ends = new Map<string, () => void>();
  const cells: Cells = new Cells({
    count,
    random: () => 0.5,
    start: async ({ id, cordon, index }, onExit) => {
      started.push(`${id} ${cordon} ${index}`);
      const cell = {
        id,
        cordon,
        index,
        drain: () => Promise.resolve(),
        stop: async () => {
          stopped.push(id);
          onExit(cell, EXIT);
        },
      } as unknown as CellProcess;
      ends.set(id, () => onExit(cell, EXIT));
      return cell;
    },
    onList: async (places: readonly CellPlace[]) => void (listed = places.map(({ id }) => id)),
    onExit: () => {},
    onReady: () => {},
    onFailure: (_id, error) => {
      throw error;
    },
  });
  return { cells, started, stopped, ends, listed: () => listed };
}

/** Until all that is ready to run has run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve(); // oxlint-disable-line no-await-in-loop -- turns
}

describe('Cells', () => {
  it('starts cells of other cordons when they are wanted, once, and ends them when nothing runs there', async () => {
    const { cells, started, stopped, listed } = open(2);
    await cells.startAll();
    assert.equal((await cells.pick('default', 'c1')).id, 'c1');
    const [first, second] = await Promise.all([cells.pick('q.acme'), cells.pick('q.acme')]);
    assert.equal(first, second);
    assert.deepEqual(started, ['c0 default 0', 'c1 default 1', 'c2 q.acme 2']);
    cells.releaseUnused((cordon) => cordon === 'default');
    await settle();
    assert.deepEqual([stopped, listed()], [['c2'], ['c0', 'c1']]);
    await cells.stopAll();
  });

  it('makes room for a cordon that is wanted now by ending the one that was wanted longest ago', async () => {
    const { cells, stopped } = open(1);
    await cells.startAll();
    for (let i = 0; i < 32; i++) await cells.pick(`q.${i}`); // oxlint-disable-line no-await-in-loop -- in this order
    cells.ensure('q.0');
    await cells.pick('q.more');
    await settle();
    assert.deepEqual(stopped, ['c2']); // q.1
    await cells.stopAll();
  });

  it('replaces each cell after a day, when its successor serves', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const { cells, started, stopped, listed } = open(1);
      await cells.startAll();
      mock.timers.tick(DAY_MS - 1);
      await settle();
      assert.deepEqual(listed(), ['c0']);
      mock.timers.tick(1);
      await settle();
      assert.deepEqual([started, stopped, listed()], [['c0 default 0', 'c1 default 1'], ['c0'], ['c1']]);
      assert.equal((await cells.pick('default')).id, 'c1');
      mock.timers.tick(DAY_MS);
      await settle();
      assert.deepEqual([stopped, listed()], [['c0', 'c1'], ['c2']]);
      await cells.stopAll();
    } finally {
      mock.timers.reset();
    }
  });

  it('starts one that has ended again, in its own place', async () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const { cells, started, ends } = open(1);
      await cells.startAll();
      ends.get('c0')?.();
      mock.timers.tick(1);
      await settle();
      assert.deepEqual(started, ['c0 default 0', 'c0 default 0']);
      await cells.stopAll();
    } finally {
      mock.timers.reset();
    }
  });
});
