/** f: endless loops on a machine that is busy anyway: how late they are stopped, and whether innocents suffer. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../lib/children.ts';
import { createClient } from '../lib/client.ts';
import { atMost, row } from '../lib/report.ts';
import { percentile } from '../lib/stats.ts';
import { startIsola, type Isola } from '../peers/isola.ts';
import { errorFile, helloCode } from '../peers/peer.ts';
import type { Measure } from './measure.ts';

const LIMIT_MS = 50; // DEFAULT_LIMITS.cpuMs: the loop Worker sets none of its own
const BUSY_PROCESSES = 4;
const INNOCENT_LANES = 4;
const LOG_WAIT_MS = 10_000;
const GIVE_UP = 100; // failed innocent requests: the node is gone

export const LOOP_CODE = 'export default { fetch() { for (;;); } };';

interface LoggedInvocation {
  readonly ray: string;
  readonly outcome: string;
  readonly cpuUs: number;
}

export const cpuLimit: Measure = {
  id: 'f',
  title: `Endless loops beside ${BUSY_PROCESSES} busy processes, limit ${LIMIT_MS} ms CPU (workerd has no limit)`,
  timeoutMs: 90_000,
  run: async (context, rows) => {
    if (!context.peers.has('isola')) return;
    const isola = await startIsola(context);
    await isola.deploy([
      { name: 'loop', code: LOOP_CODE },
      { name: 'hello', code: helloCode('Hello') },
    ]);
    const innocents = startInnocents(isola);
    const busy = Array.from({ length: BUSY_PROCESSES }, () =>
      startChild({ command: process.execPath, args: ['-e', 'for(;;);'], errorFile: errorFile(context, 'busy') }),
    );
    const rays = await callLoop(isola, context.quick ? 10 : 40);
    await Promise.all(busy.map((process) => process.stop()));
    const { answered, failed } = await innocents.stop();

    const stopped = await findInLog(isola, rays);
    const overrunMs = stopped.map(({ cpuUs }) => cpuUs / 1000 - LIMIT_MS);
    const worst = stopped.length === rays.size ? Math.max(...overrunMs) : undefined;
    const wrong = stopped.filter(({ outcome }) => outcome !== 'exceededCpu').length;
    context.log(
      `isola: ${stopped.length} of ${rays.size} loops in the log, ${answered} innocent requests, ${failed} failed`,
    );
    rows.push(
      row('CPU used past the limit, p50', 'ms', { isola: percentile(overrunMs, 0.5) }),
      row('CPU used past the limit, worst', 'ms', worst === undefined ? {} : { isola: worst }, [
        atMost(5, 'ms', worst),
      ]),
      row('loops with another outcome than exceededCpu', '', { isola: wrong }, [atMost(0, '', wrong)]),
      row(`innocent requests that failed, of ${answered}`, '', { isola: failed }, [
        atMost(0, '', answered === 0 ? undefined : failed),
      ]),
    );
    await isola.stop();
  },
};

/** Calls the loop one at a time; answers the rays of the calls. */
async function callLoop(isola: Isola, count: number): Promise<Set<string>> {
  const client = createClient();
  const { port, host } = isola.target('loop');
  const rays = new Set<string>();
  for (let call = 0; call < count; call += 1) {
    const { status, headers } = await client.get(port, host);
    const ray = headers['x-isola-ray'];
    if (status < 500 || typeof ray !== 'string') throw new Error(`The loop answered ${status}, ray ${String(ray)}`);
    rays.add(ray);
  }
  client.close();
  return rays;
}

function startInnocents(isola: Isola): { stop(): Promise<{ answered: number; failed: number }> } {
  const client = createClient();
  const { port, host } = isola.target('hello');
  const over = new AbortController();
  let answered = 0;
  let failed = 0;
  const lanes = Array.from({ length: INNOCENT_LANES }, async () => {
    while (!over.signal.aborted && failed < GIVE_UP) {
      const status = await client.get(port, host).then(
        (answer) => answer.status,
        () => 0,
      );
      if (status === 200) answered += 1;
      else failed += 1;
      await sleep(2); // their share of the machine stays small: this is no load test
    }
  });
  return {
    stop: async () => {
      over.abort();
      await Promise.all(lanes);
      client.close();
      return { answered, failed };
    },
  };
}

/** Reads the invocation log until all rays have turned up, or for a while. */
async function findInLog(isola: Isola, rays: ReadonlySet<string>): Promise<LoggedInvocation[]> {
  const path = join(isola.dataDir, 'logs', 'invocations.jsonl');
  const deadline = performance.now() + LOG_WAIT_MS;
  let found: LoggedInvocation[] = [];
  while (found.length < rays.size && performance.now() < deadline) {
    await sleep(200);
    const text = await readFile(path, 'utf8').catch(() => '');
    found = text
      .split('\n')
      .slice(0, -1) // the last line may not be whole yet
      .map(parseLine)
      .filter(({ ray }) => rays.has(ray));
  }
  return found;
}

function parseLine(line: string): LoggedInvocation {
  const invocation: LoggedInvocation = JSON.parse(line);
  return invocation;
}
