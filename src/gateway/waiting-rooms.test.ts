import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WaitingRooms } from './waiting-rooms.ts';

describe('WaitingRooms', () => {
  function createItem(rooms: WaitingRooms<never>, cordon: () => string | undefined) {
    const item = {
      route: undefined,
      resumed: 0,
      resume(): void {
        item.resumed++;
        assert.ok(item.resumed < 10, 'it is let go on again and again');
        const where = cordon();
        if (where !== undefined) rooms.hold(item as never, where);
      },
      giveUp: (): void => assert.fail('given up'),
    };
    return item;
  }

  it('let each go on once, also one that has to wait again for the same cordon', () => {
    const wanted: string[] = [];
    const rooms = new WaitingRooms<never>((cordon) => wanted.push(cordon));
    let cell: string | undefined = 'q.acme';
    const item = createItem(rooms, () => cell);
    assert.equal(rooms.hold(item as never, 'q.acme'), true);
    rooms.openAll();
    assert.deepEqual([item.resumed, rooms.size, wanted], [1, 1, ['q.acme', 'q.acme']]);
    rooms.open((cordon) => cordon === 'default');
    assert.deepEqual([item.resumed, rooms.size], [1, 1]);
    cell = undefined;
    rooms.open((cordon) => cordon === 'q.acme');
    assert.deepEqual([item.resumed, rooms.size], [2, 0]);
  });
});
