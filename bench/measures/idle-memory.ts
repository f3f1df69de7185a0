/** d: what an idle tenant costs in memory, and whether a cell serves thousands of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Client } from '../lib/client.ts';
import type { Context } from '../lib/context.ts';
import { residentBytes } from '../lib/proc.ts';
import { atMost, atMostTimes, row, type PeerName, type Row } from '../lib/report.ts';
import { percentile } from '../lib/stats.ts';
import { inLanes } from '../lib/time.ts';
import { startIsola } from '../peers/isola.ts';
import { startNodeHttp } from '../peers/node-http.ts';
import { helloCode, names, type Server } from '../peers/peer.ts';
import { startWorkerd } from '../peers/workerd.ts';
import type { Measure } from './measure.ts';

const TENANTS = 1_000;
const CROWD = 2_000;
const PROCESSES = 20;
const SETTLE_MS = 2_000; // for collections and refilled spares
const MIB = 1024 * 1024;

export const idleMemory: Measure = {
  id: 'd',
  title: `Memory per idle tenant, ${TENANTS} tenants called once (process per tenant: ${PROCESSES})`,
  timeoutMs: 150_000,
  run: async (context, rows) => {
    const count = context.quick ? 200 : TENANTS;
    const crowd = context.quick ? 400 : CROWD;
    const tenants = names('idle', crowd);
    const client = createClient();
    const mib: Partial<Record<PeerName, number>> = {};
    const later: Row[] = [];
    if (context.peers.has('isola')) {
      const isola = await startIsola(context, { cells: 1 });
      await isola.deploy(['idle-first', ...tenants].map((name) => ({ name, code: helloCode('Hello') })));
      mib.isola = (await bytesPerTenant(isola, client, tenants.slice(0, count))) / MIB;
      later.push(...(await serveCrowd(context, client, isola, tenants)));
      await isola.stop();
    }
    if (context.peers.has('workerd')) {
      const workerd = await startWorkerd(context, 'loader');
      mib.workerd = (await bytesPerTenant(workerd, client, tenants.slice(0, count))) / MIB;
      await workerd.stop();
    }
    if (context.peers.has('process per tenant'))
      mib['process per tenant'] = (await bytesPerProcess(context, client)) / MIB;
    client.close();
    rows.push(row('memory per idle tenant', 'MiB', mib, [atMostTimes(1, 'workerd', mib)]), ...later);
  },
};

async function bytesPerTenant(server: Server, client: Client, tenants: readonly string[]): Promise<number> {
  await callAll(server, client, ['idle-first']);
  await sleep(SETTLE_MS);
  const before = residentBytes(server.pids());
  const failed = await callAll(server, client, tenants);
  if (failed > 0) throw new Error(`${failed} of ${tenants.length} tenants did not answer`);
  await sleep(SETTLE_MS);
  return (residentBytes(server.pids()) - before) / tenants.length;
}

async function bytesPerProcess(context: Context, client: Client): Promise<number> {
  let bytes = 0;
  const servers: Server[] = [];
  for (let count = 0; count < PROCESSES; count += 1) {
    const server = await startNodeHttp(context);
    servers.push(server);
    await callAll(server, client, ['tenant']);
    bytes += residentBytes(server.pids());
  }
  await Promise.all(servers.map((server) => server.stop()));
  return bytes / PROCESSES;
}

/** Calls every tenant, then some again: that all are alive shows in the time of the second call. */
async function serveCrowd(context: Context, client: Client, isola: Server, tenants: readonly string[]): Promise<Row[]> {
  let failed = await callAll(isola, client, tenants);
  const times: number[] = [];
  for (let index = 0; index < tenants.length; index += Math.floor(tenants.length / 200)) {
    const { port, host } = isola.target(tenants[index] ?? '');
    const { status, firstByteMs } = await client.get(port, host);
    if (status === 200) times.push(firstByteMs);
    else failed += 1;
  }
  context.log(`isola: ${tenants.length} tenants in one cell, ${failed} failed requests`);
  const name = `${tenants.length} tenants in one cell`;
  return [
    row(`${name}: failed requests`, '', { isola: failed }, [atMost(0, '', failed)]),
    row(`${name}: second call, p50`, 'ms', { isola: percentile(times, 0.5) }),
    row(`${name}: second call, p99`, 'ms', { isola: percentile(times, 0.99) }),
    row(`${name}: memory of all processes`, 'MiB', { isola: Math.round(residentBytes(isola.pids()) / MIB) }),
  ];
}

/** Answers how many did not answer 200. */
async function callAll(server: Server, client: Client, tenants: readonly string[]): Promise<number> {
  let failed = 0;
  await inLanes(tenants.length, 4, async (index) => {
    const { port, host } = server.target(tenants[index] ?? '');
    const { status } = await client.get(port, host);
    if (status !== 200) failed += 1;
  });
  return failed;
}
