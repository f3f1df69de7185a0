import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { type Observed, SideChannelWatch } from './side-channel-watch.ts';

const LOOK_MS = 10_000;
const HALF_AN_HOUR = 180; // looks

function open(look: () => Observed[]) {
  const suspects: string[] = [];
  const watch = new SideChannelWatch({
    look: () => look().map((instance) => ['c0', instance] as const),
    onSuspect: ({ worker }) => void suspects.push(worker.worker),
  });
  return { watch, suspects };
}

const instance = (worker: string, cpuUs: number, requests: number): Observed => ({
  account: 'acme',
  worker,
  version: `version of ${worker}`,
  cpuUs,
  requests,
});

describe('SideChannelWatch', () => {
  it('suspects who computes for half an hour and is hardly asked, and nobody else', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const spy = instance('spy', 950_000, 1); // one WebSocket message a second keeps it going
      const hot = instance('hot', 950_000, 400);
      const idle = instance('idle', 1_000, 1);
      const { watch, suspects } = open(() => [spy, hot, idle]);
      mock.timers.tick(LOOK_MS * (HALF_AN_HOUR - 1));
      assert.deepEqual(suspects, []);
      mock.timers.tick(LOOK_MS);
      assert.deepEqual(suspects, ['spy']);
      watch.close();
    } finally {
      mock.timers.reset();
    }
  });

  it('takes longer for who computes less, or goes to the limit at each request; and looks for a quarter of a core', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const slow = instance('slow', 350_000, 0);
      const atLimit = instance('at-limit', 350_000, 7); // 50 ms each
      const cheap = instance('cheap', 350_000, 18); // just under 20 ms each
      const little = instance('little', 249_000, 0);
      const { watch, suspects } = open(() => [slow, atLimit, cheap, little]);
      mock.timers.tick(LOOK_MS * (2 * HALF_AN_HOUR - 1));
      assert.deepEqual(suspects, []);
      mock.timers.tick(LOOK_MS);
      assert.deepEqual(suspects, ['slow', 'at-limit']);
      watch.close();
    } finally {
      mock.timers.reset();
    }
  });

  it('forgives pauses as fast as it counts', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      let looks = 0;
      // The one rests half of the time, the other a third.
      const { watch, suspects } = open(() => {
        looks++;
        return [instance('batch', looks % 2 === 0 ? 0 : 950_000, 0), instance('spy', looks % 3 === 0 ? 0 : 950_000, 0)];
      });
      mock.timers.tick(LOOK_MS * HALF_AN_HOUR * 4);
      assert.deepEqual(suspects, ['spy']);
      watch.close();
    } finally {
      mock.timers.reset();
    }
  });
});
