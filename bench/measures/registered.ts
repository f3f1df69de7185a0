/** e: a hundred thousand Workers registered, hardly any of them live. isola only: no peer has such a thing. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '../lib/client.ts';
import type { Context } from '../lib/context.ts';
import { residentBytes } from '../lib/proc.ts';
import { atMost, row, type Row } from '../lib/report.ts';
import { percentile } from '../lib/stats.ts';
import { ROLES, startIsola, type Isola, type Role } from '../peers/isola.ts';
import { helloCode, names } from '../peers/peer.ts';
import type { Measure } from './measure.ts';

const WORKERS = 100_000;
const BATCH = 5_000;
const CALLS = 200;
const SETTLE_MS = 1_500;

export const registered: Measure = {
  id: 'e',
  title: `${WORKERS.toLocaleString('en')} Workers registered`,
  timeoutMs: 240_000,
  run: async (context, rows) => {
    if (!context.peers.has('isola')) return;
    const workers = names('reg', context.quick ? 10_000 : WORKERS);
    const dataDir = context.folder('registered');
    const first = await startIsola(context, { dataDir });
    await sleep(SETTLE_MS);
    const empty = bytesByRole(first);
    const registerMs = await timed(async () => {
      for (let at = 0; at < workers.length; at += BATCH) {
        await first.deploy(workers.slice(at, at + BATCH).map((name) => ({ name, code: helloCode(name) })));
      }
    });
    context.log(`isola: ${workers.length} registered in ${Math.round(registerMs)} ms`);
    rows.push(row('registering all of them', 's', { isola: registerMs / 1000 }));
    await sleep(SETTLE_MS);
    rows.push(...memoryRows('while they were registered', empty, bytesByRole(first), workers.length, false));
    await first.stop();

    let again: Isola | undefined;
    const startMs = await timed(async () => {
      again = await startIsola(context, { dataDir });
      await callOne(again, workers[0] ?? '');
    });
    if (again === undefined) throw new Error('isola did not start again');
    rows.push(
      row('start of the node until the first answer', 's', { isola: startMs / 1000 }, [atMost(3, 's', startMs / 1000)]),
    );
    await sleep(SETTLE_MS);
    rows.push(...memoryRows('after a restart', empty, bytesByRole(again), workers.length, true));
    rows.push(...(await callRandom(context, again, workers)));
    await again.stop();
  },
};

function memoryRows(
  when: string,
  before: Readonly<Record<Role, number>>,
  after: Readonly<Record<Role, number>>,
  count: number,
  isGoal: boolean,
): Row[] {
  return ROLES.map((role) => {
    const bytes = Math.round((after[role] - before[role]) / count);
    return row(
      `bytes per Worker in the ${role}, ${when}`,
      'B',
      { isola: bytes },
      isGoal ? [atMost(1024, 'B', bytes)] : [],
    );
  });
}

function bytesByRole(isola: Isola): Record<Role, number> {
  const { supervisor, gateway, cell } = isola.pidsByRole();
  return { supervisor: residentBytes(supervisor), gateway: residentBytes(gateway), cell: residentBytes(cell) };
}

async function callRandom(context: Context, isola: Isola, workers: readonly string[]): Promise<Row[]> {
  const client = createClient();
  const times: number[] = [];
  for (let count = 0; count < CALLS; count += 1) {
    const { port, host } = isola.target(workers[Math.floor(Math.random() * workers.length)] ?? '');
    const { status, firstByteMs } = await client.get(port, host);
    if (status !== 200) throw new Error(`${host} answered ${status}`);
    times.push(firstByteMs);
    await sleep(20);
  }
  client.close();
  const p50 = percentile(times, 0.5);
  const p99 = percentile(times, 0.99);
  context.log(`isola: first requests p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  return [
    row('first request to a random one, p50', 'ms', { isola: p50 }, [atMost(3, 'ms', p50)]),
    row('first request to a random one, p99', 'ms', { isola: p99 }, [atMost(10, 'ms', p99)]),
  ];
}

async function callOne(isola: Isola, name: string): Promise<void> {
  const client = createClient();
  const { port, host } = isola.target(name);
  const { status } = await client.get(port, host);
  client.close();
  if (status !== 200) throw new Error(`${host} answered ${status}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
