import assert from 'node:assert/strict';
import { it } from 'node:test';
import { METERING_TURN_MS, type MeteringTurn, takeMeteringTurns } from './metering-turns.ts';

it('takeMeteringTurns() follows the wall clock, from wherever it begins', ({ mock }) => {
  mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 4 * METERING_TURN_MS + 500 });
  const turns: MeteringTurn[] = [];
  takeMeteringTurns((turn) => turns.push(turn));
  mock.timers.tick(METERING_TURN_MS - 501);
  assert.deepEqual(turns, ['unmetered']);
  for (let turn = 0; turn < 3; turn++) mock.timers.tick(turn === 0 ? 1 : METERING_TURN_MS);
  assert.deepEqual(turns, ['unmetered', 'unrecorded', 'all', 'unmetered']);
});
