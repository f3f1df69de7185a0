import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_LATENCIES } from '../latency-counts.ts';
import { CellBoard } from './cell-board.ts';

const NOTHING = {
  memoryBytes: 0,
  spares: 0,
  instances: 0,
  running: 0,
  evicted: 0,
  coldStarts: 0,
  loopDelay: NO_LATENCIES,
  hostCalls: [],
  made: [],
  used: [],
  gone: [],
  evictions: [],
};

describe('CellBoard', () => {
  it('keeps isolates from what changes of them, with numbers of the last second', () => {
    const { board, clock } = open();
    board.take('c0', {
      ...NOTHING,
      instances: 2,
      made: [
        [1, 'main', 'hello', 'v1', 500],
        [2, 'other', 'busy', 'v2', 100],
      ],
      used: [
        [1, 2_000_000, 1_500, 3],
        [2, 3_000_000, 0, 0],
      ],
    });
    clock.now += 1_000;
    board.take('c0', { ...NOTHING, instances: 2, used: [[2, 3_000_000, 40, 1]] });
    const isolate = { memoryBytes: 2_000_000, cpuUs: 0, requests: 0, idleMs: 1_000, ageMs: 1_500 };
    const busy = { memoryBytes: 3_000_000, cpuUs: 40, requests: 1, idleMs: 0, ageMs: 1_100 };
    assert.deepEqual(board.list()[0]?.isolates, [
      { account: 'main', worker: 'hello', version: 'v1', ...isolate },
      { account: 'other', worker: 'busy', version: 'v2', ...busy },
    ]);
    assert.deepEqual(
      board.list('other')[0]?.isolates.map(({ worker }) => worker),
      ['busy'],
    );
    board.take('c0', { ...NOTHING, gone: [2], evicted: 1, evictions: [['other', 'busy']] });
    assert.equal(board.list()[0]?.evicted, 1);
    assert.deepEqual(board.list('other')[0]?.events, [
      { kind: 'evicted', account: 'other', worker: 'busy', at: clock.now },
    ]);
    assert.deepEqual(board.list('main')[0]?.events, []);
    assert.deepEqual(board.list('third'), []);
  });

  it('keeps how long host calls took when a cell is there no more', () => {
    const { board } = open();
    board.take('c0', { ...NOTHING, hostCalls: [['kv', { ...NO_LATENCIES, sumMs: 3 }]] });
    board.keepOnly([]);
    board.take('c0', { ...NOTHING, hostCalls: [['kv', { ...NO_LATENCIES, sumMs: 4 }]] }); // it is ending
    assert.equal(board.hostCalls.get('kv')?.sumMs, 7);
  });

  it('has nothing of a process that ended, but that it was restarted', () => {
    const { board, clock } = open();
    board.take('c0', { ...NOTHING, evicted: 4, instances: 1, made: [[1, 'main', 'hello', 'v1', 0]] });
    board.ended('c0');
    clock.now += 10;
    board.starting('c0');
    board.take('c0', { ...NOTHING, evicted: 1 });
    const [cell] = board.list();
    assert.deepEqual([cell?.isolates, cell?.evicted, cell?.restarts, cell?.startedAt], [[], 5, 1, clock.now]);
    assert.deepEqual(
      cell?.events.map(({ kind }) => kind),
      ['restarted'],
    );
  });

  it('drops what no honest cell says, and keeps no more than a cell can have', () => {
    const { board } = open();
    const made = (count: number, from = 0) =>
      Array.from({ length: count }, (_, index) => [from + index, 'main', 'hello', 'v1', 0]);
    const refused = [
      undefined,
      null,
      'stats',
      { ...NOTHING, spares: -1 },
      { ...NOTHING, spares: Number.NaN },
      { ...NOTHING, memoryBytes: 1e300 },
      { ...NOTHING, loopDelay: { counts: [1], sumMs: 1 } },
      { ...NOTHING, hostCalls: [['anything', NO_LATENCIES]] },
      { ...NOTHING, made: [[1, 'main', 'hello\n# TYPE', 'v1', 0]] },
      { ...NOTHING, made: [[1, 'main', 'x'.repeat(101), 'v1', 0]] },
      { ...NOTHING, made: made(1_001) },
      { ...NOTHING, evictions: Array.from({ length: 21 }, () => ['main', 'hello']) },
    ];
    for (const message of refused) board.take('c0', message);
    assert.deepEqual(board.list()[0]?.isolates, []);
    for (let round = 0; round < 10; round++) board.take('c0', { ...NOTHING, made: made(1_000, round * 1_000) });
    assert.equal(board.list()[0]?.isolates.length, 8_192);
    board.take('nobody', NOTHING);
    assert.equal(board.list().length, 1);
  });
});

function open() {
  const clock = { now: 1e12 };
  const board = new CellBoard({ now: () => clock.now, memoryOf: () => undefined });
  board.starting('c0');
  return { board, clock };
}
