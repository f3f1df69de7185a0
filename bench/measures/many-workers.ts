/** b: many Workers called in turn, which is what a platform for tenants sees; each call meets another isolate. */
import { atMostTimes, row, type PeerName } from '../lib/report.ts';
import { createClient } from '../lib/client.ts';
import { inLanes } from '../lib/time.ts';
import { startIsola } from '../peers/isola.ts';
import { helloCode, names } from '../peers/peer.ts';
import { startTenants } from '../peers/process-per-tenant.ts';
import { startWorkerd } from '../peers/workerd.ts';
import type { Measure } from './measure.ts';
import { compareUnderLoad, type Side } from './rounds.ts';

const CONNECTIONS = 64;
const WORKERS = 300;
const PROCESSES = 100; // 300 Node processes would be 14 GB

export const manyWorkers: Measure = {
  id: 'b',
  title: `${WORKERS} hello Workers in turn, ${CONNECTIONS} connections (process per tenant: ${PROCESSES})`,
  timeoutMs: 150_000,
  run: async (context, rows) => {
    const sides = new Map<PeerName, Side>();
    const workers = names('many', WORKERS);
    if (context.peers.has('isola')) {
      const isola = await startIsola(context);
      await isola.deploy(workers.map((name) => ({ name, code: helloCode('Hello') })));
      sides.set('isola', { pids: isola.pids, pidsByRole: isola.pidsByRole, targets: workers.map(isola.target) });
    }
    if (context.peers.has('workerd')) {
      const workerd = await startWorkerd(context, 'loader');
      sides.set('workerd', { pids: workerd.pids, targets: workers.map(workerd.target) });
    }
    if (context.peers.has('process per tenant')) {
      const tenants = await startTenants(context, context.quick ? 20 : PROCESSES);
      sides.set('process per tenant', tenants);
    }
    for (const side of sides.values()) await callEach(side);
    const { rows: loaded, cpuUs } = await compareUnderLoad(context, sides, CONNECTIONS);
    rows.push(row('CPU per request, median of rounds', 'µs', cpuUs, [atMostTimes(0.2, 'workerd', cpuUs)]), ...loaded);
  },
};

/** So that no round pays for cold starts. */
async function callEach({ targets }: Side): Promise<void> {
  const client = createClient();
  await inLanes(targets.length, 4, async (index) => {
    const { port = 0, host = '' } = targets[index] ?? {};
    await client.get(port, host);
  });
  client.close();
}
