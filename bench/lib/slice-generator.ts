/**
 * Load for several servers in short turns, run by slices.ts as a process: connections to all of them stay open, and it
 * asks those of one server until it is told that the time is over and every answer has come.
 */
import { once } from 'node:events';
import { type Lane, openLane } from './lane.ts';
import type { Slice, SliceResult, SlicesOptions } from './slices.ts';

const { servers, connections }: SlicesOptions = JSON.parse(process.argv[2] ?? '{}');
let requests = 0;
let failed = 0;
let pending = 0;
let next = 0;
let isOver = true;
let onQuiet = (): void => {};

const lanes: readonly (readonly Lane[])[] = servers.map((targets) =>
  Array.from({ length: connections }, () => {
    const lane = openLane(
      targets,
      () => next++,
      ({ isGood }) => {
        requests += 1;
        pending -= 1;
        if (!isGood) failed += 1;
        if (!isOver) send(lane);
        else if (pending === 0) onQuiet();
      },
    );
    lane.socket.on('close', () => (failed += 1));
    return lane;
  }),
);
await Promise.all(lanes.flat().map(({ socket }) => once(socket, 'connect')));
process.on('message', ({ server, ms }: Slice) => {
  requests = failed = 0;
  isOver = false;
  const quiet = new Promise<void>((resolve) => (onQuiet = resolve));
  setTimeout(() => (isOver = true), ms);
  for (const lane of lanes[server] ?? []) send(lane);
  void quiet.then(() => process.send?.({ requests, failed } satisfies SliceResult));
});
process.send?.('ready');

function send(lane: Lane): void {
  pending += 1;
  lane.send();
}
