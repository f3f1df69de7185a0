import assert from 'node:assert/strict';
import { it } from 'node:test';
import { METERING_TURN_MS, takeMeteringTurns } from './metering-turns.ts';

it('takeMeteringTurns() follows the wall clock, from wherever it begins', ({ mock }) => {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 2 * METERING_TURN_MS + 1_000 });
  const turns: boolean[] = [];
  takeMeteringTurns((isMetered) => turns.push(isMetered));
  mock.timers.tick(METERING_TURN_MS - 1_001);
  assert.deepEqual(turns, [true]);
  for (let turn = 0; turn < 3; turn++) mock.timers.tick(turn === 0 ? 1 : METERING_TURN_MS);
  assert.deepEqual(turns, [true, false, true, false]);
});
