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

  it('forgives pauses, twice as fast as it counts', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      let looks = 0;
      // A third of the time it rests.
      const { watch, suspects } = open(() => [instance('batch', looks++ % 3 === 2 ? 0 : 950_000, 0)]);
      mock.timers.tick(LOOK_MS * HALF_AN_HOUR * 10);
      assert.deepEqual(suspects, []);
      watch.close();
    } finally {
      mock.timers.reset();
    }
  });
});
