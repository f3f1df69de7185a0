/** assets: static files of a Worker, which no isolate sees, beside a handler that sends as many bytes from memory. */
import { atLeastTimes, type PeerName, type Row } from '../lib/report.ts';
import { startIsola } from '../peers/isola.ts';
import { startNodeFiles } from '../peers/node-http.ts';
import type { Measure } from './measure.ts';
import { compareUnderLoad, type Side } from './rounds.ts';

const CONNECTIONS = 64;
const SIZES = [
  [1024, '1 KiB'],
  [16 * 1024, '16 KiB'],
  [1024 * 1024, '1 MiB'],
] as const;

export const assets: Measure = {
  id: 'assets',
  title: `A static file, ${CONNECTIONS} connections`,
  timeoutMs: 300_000,
  run: async (context, rows) => {
    const bytes = SIZES.map(([size]) => size);
    const isola = context.peers.has('isola') ? await startIsola(context) : undefined;
    const node = context.peers.has('node:http') ? await startNodeFiles(context, bytes) : undefined;
    for (const [size, text] of SIZES) {
      const name = `f${size}`;
      const sides = new Map<PeerName, Side>();
      if (isola !== undefined) {
        await isola.deployFiles(name, { '/index.html': Buffer.alloc(size, 'x') });
        sides.set('isola', { pids: isola.pids, targets: [isola.target(name)] });
      }
      if (node !== undefined) sides.set('node:http', { pids: node.pids, targets: [node.target(name)] });
      const { rows: measured } = await compareUnderLoad(context, sides, CONNECTIONS);
      rows.push(...measured.map((row) => named(row, text)));
    }
  },
};

function named(row: Row, size: string): Row {
  const goals = row.label === 'requests per second' ? [atLeastTimes(0.7, 'node:http', row.values)] : row.goals;
  return { ...row, label: `${size}: ${row.label}`, goals };
}
