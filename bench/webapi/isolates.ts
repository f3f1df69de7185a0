/** Makes isolates of both variants; answers what one takes, in ms and in kB. Child of the bench. */
import { readFileSync } from 'node:fs';
import { Engine, type Variant } from '../../src/engine/index.ts';
import { WARMUP, buildGuest } from '../../src/guest/index.ts';
import { DEFAULT_LIMITS } from '../../src/limits.ts';
import { median } from '../lib/stats.ts';

export interface IsolateFigures {
  readonly ms: number;
  readonly kB: number;
}

const COUNT = 100;
const FIRST = 10; // page in what all share

const { source, parts, assets } = await buildGuest();
const engine = await Engine.start({
  guest: { source, parts, assets, warmup: WARMUP },
  spares: 0,
  onStuck: 'ignore',
  onCatastrophe: (message) => {
    throw new Error(message);
  },
  now: Date.now,
});
const kept: unknown[] = [];
process.on('message', (variant: Variant) => process.send?.(measure(variant)));
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL')); // quicker than disposing of them all

function measure(variant: Variant): IsolateFigures {
  for (let i = 0; i < FIRST; i++) kept.push(engine.acquire(DEFAULT_LIMITS.memoryMiB, variant));
  const before = residentKilobytes();
  const times = Array.from({ length: COUNT }, () => {
    const startedAt = performance.now();
    kept.push(engine.acquire(DEFAULT_LIMITS.memoryMiB, variant));
    return performance.now() - startedAt;
  });
  return { ms: median(times), kB: (residentKilobytes() - before) / COUNT };
}

function residentKilobytes(): number {
  return Number(/^Pss_Anon:\s+(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'utf8'))?.[1]);
}
