import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { LostRequests } from './lost-requests.ts';

describe('LostRequests', () => {
  const make = (exchangeId: number, ends: string[]) => ({
    exchangeId,
    again: () => void ends.push(`${exchangeId} again`),
    giveUp: () => void ends.push(`${exchangeId} gives up`),
  });

  it('tries again what the cell had not begun, whether its end or the verdict is known first', () => {
    const lost = new LostRequests();
    const ends: string[] = [];
    lost.hold('c0', make(3, ends));
    lost.hold('c0', make(5, ends));
    lost.hold('c1', make(7, ends));
    assert.deepEqual(ends, []);
    lost.decide({ id: 'c0', begun: 3 });
    assert.deepEqual(ends, ['3 gives up', '5 again']);
    lost.decide({ id: 'c2', begun: 9 });
    lost.hold('c2', make(11, ends));
    lost.forget('c2');
    lost.hold('c2', make(13, ends));
    assert.deepEqual(ends.slice(2), ['11 again']);
    lost.close();
  });

  it('gives up what nobody knows of, and what nobody tells of in time', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const lost = new LostRequests();
      const ends: string[] = [];
      lost.hold('c0', make(1, ends));
      lost.decide({ id: 'c0' });
      lost.hold('c1', make(3, ends));
      mock.timers.tick(1_000);
      assert.deepEqual(ends, ['1 gives up', '3 gives up']);
    } finally {
      mock.timers.reset();
    }
  });
});
