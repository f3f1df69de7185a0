import { randomBytes, randomUUID } from 'node:crypto';
import { Tails } from '../tail/index.ts';
import type { Cells } from './cells.ts';

const TOKEN_BYTES = 32;
const SWEEP_MS = 10_000;

/** The tails of this platform. Cells send the records of who is tailed; a new cell has to be told (`tellCell`). */
export function createTails(cells: () => Cells): Tails & Disposable {
  const tails = new Tails({
    now: Date.now,
    random: Math.random,
    randomUUID,
    randomToken: () => randomBytes(TOKEN_BYTES).toString('base64url'),
    // A cell that does not answer is on its way out.
    onTailed: async (workers) => void (await Promise.allSettled(cells().live.map((cell) => cell.setTailed(workers)))),
  });
  const sweeping = setInterval(() => tails.sweep(), SWEEP_MS).unref();
  return Object.assign(tails, {
    [Symbol.dispose]: () => {
      clearInterval(sweeping);
      tails.close();
    },
  });
}
