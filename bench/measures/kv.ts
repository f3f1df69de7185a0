/** kv: Workers that read a value from KV, beside a handler that reads it from a table of its own. */
import { atLeast, atMost, row, type PeerName, type Row } from '../lib/report.ts';
import { startIsola } from '../peers/isola.ts';
import { startNodeKv } from '../peers/node-http.ts';
import type { Measure } from './measure.ts';
import { compareAtRate, compareUnderLoad, type Side } from './rounds.ts';

const CONNECTIONS = 32;
const RATE = 5_500; // a tenth more than what is asked for
const KEYS = 10_000;
const VALUE_BYTES = 1024;
const CODE = `export default { async fetch(request, { KV }) {
  return new Response(await KV.get("key-" + Math.floor(Math.random() * ${KEYS}), "arrayBuffer"));
} }`;

export const kv: Measure = {
  id: 'kv',
  title: `One of ${KEYS} values of 1 KiB by KV.get in each request, ${CONNECTIONS} connections`,
  timeoutMs: 120_000,
  run: async (context, rows) => {
    const sides = new Map<PeerName, Side>();
    if (context.peers.has('isola')) {
      const isola = await startIsola(context);
      await isola.deployKv('kv', { code: CODE, entries: { count: KEYS, bytes: VALUE_BYTES } });
      sides.set('isola', { pids: isola.pids, pidsByRole: isola.pidsByRole, targets: [isola.target('kv')] });
    }
    if (context.peers.has('node:http')) {
      const node = await startNodeKv(context, { count: KEYS, bytes: VALUE_BYTES });
      sides.set('node:http', { pids: node.pids, targets: [node.target('kv')] });
    }
    const { rows: measured } = await compareUnderLoad(context, sides, CONNECTIONS);
    rows.push(...measured.map(withGoals));
    const { answered, p50Ms, p99Ms } = await compareAtRate(context, sides, { connections: CONNECTIONS, rate: RATE });
    rows.push(
      row(`answered of ${RATE} a second`, '1/s', answered, [atLeast(5_000, '1/s', answered.isola)]),
      row('latency p50 at that load', 'ms', p50Ms),
      row('latency p99 at that load', 'ms', p99Ms, [atMost(10, 'ms', p99Ms.isola)]),
    );
  },
};

/** As much as both cores give, the generator's share included: of latencies, those at a given load tell more. */
function withGoals(row: Row): Row {
  if (row.label !== 'requests per second') return row;
  return { ...row, goals: [atLeast(5_000, '1/s', row.values.isola)] };
}
