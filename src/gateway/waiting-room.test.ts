import assert from 'node:assert/strict';
import { it, mock } from 'node:test';
import { WaitingRoom } from './waiting-room.ts';

it('WaitingRoom gives up on each after five seconds, lets the rest go on, and has 10,000 places', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let now = 0;
  const pass = (ms: number): void => {
    now += ms;
    mock.timers.tick(ms);
  };
  const events: string[] = [];
  const item = (name: string) => ({
    resume: () => events.push(`${name} resumed`),
    giveUp: () => events.push(`${name} gave up`),
  });
  const room = new WaitingRoom(() => now);
  const left = item('left');
  room.hold(left);
  room.hold(item('a'));
  pass(2_000);
  room.hold(item('b'));
  room.leave(left);
  pass(2_999);
  assert.deepEqual(events, []);
  pass(1);
  assert.deepEqual(events, ['a gave up']);
  room.open();
  assert.deepEqual(events, ['a gave up', 'b resumed']);
  pass(10_000);
  assert.equal(events.length, 2);
  for (let i = 0; i < 10_000; i++) assert.equal(room.hold(item('x')), true);
  assert.equal(room.hold(item('y')), false);
  room.open();
  mock.timers.reset();
});
