import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LEDGER_CRASH_ACCOUNT } from './ledger-crash-child.ts';
import { openSqliteLedger } from './sqlite/index.ts';

const CHILD = fileURLToPath(new URL('./ledger-crash-child.ts', import.meta.url));
const KILLS = 15;
const MAX_LINES_BEFORE_KILL = 40;
const MAX_JITTER_MS = 3; // a commit takes about as long: the kill falls anywhere in it
const YEAR_MS = 366 * 86_400_000;

describe('the ledger under kill -9', { timeout: 120_000 }, () => {
  it(`has all that was acknowledged, each batch once though it is given again, over ${KILLS} kills`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'isola-ledger-crash-'));
    t.after(() => rmSync(dir, { recursive: true }));
    const started = new Set<number>();
    const acknowledged = new Set<number>();
    const run = async (mode: 'kill' | 'finish'): Promise<void> => {
      const again = [...started].filter((number) => !acknowledged.has(number)).join(',');
      const args = [dir, String(Math.max(0, ...started) + 1), again, ...(mode === 'finish' ? ['--finish'] : [])];
      const child = spawn(process.execPath, [CHILD, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, NODE_COMPILE_CACHE: join(dir, 'cache') },
      });
      const exited = once(child, 'exit');
      const killAt = randomInt(1, MAX_LINES_BEFORE_KILL);
      let lines = 0;
      for await (const line of createInterface({ input: child.stdout })) {
        const [what, number] = line.split(' ');
        (what === 'start' ? started : acknowledged).add(Number(number));
        lines += 1;
        if (mode === 'kill' && lines === killAt)
          void delay(Math.random() * MAX_JITTER_MS).then(() => child.kill('SIGKILL'));
      }
      assert.deepEqual(await exited, mode === 'kill' ? [null, 'SIGKILL'] : [0, null]);
    };
    let uncertain = 0;
    await run('finish'); // only a process that ends by itself leaves its compiled code to the next ones
    for (let kill = 0; kill < KILLS; kill += 1) {
      await run('kill');
      const counted = await readCounted(dir);
      assert.deepEqual(acknowledged.difference(counted), new Set(), 'acknowledged, and not there');
      assert.deepEqual(counted.difference(started), new Set(), 'there, and never given');
      uncertain += started.size - acknowledged.size;
    }
    await run('finish');
    assert.deepEqual(await readCounted(dir), started);
    t.diagnostic(
      `${started.size} batches, ${uncertain} of them given again as nobody knew whether they had been taken`,
    );
    assert.ok(acknowledged.size > KILLS && uncertain > 0);
  });
});

/** Which batches are in the ledger, each of them once. */
async function readCounted(dir: string): Promise<Set<number>> {
  await using ledger = await openSqliteLedger(join(dir, 'usage.sqlite'));
  const until = Date.now() + YEAR_MS;
  const query = { account: LEDGER_CRASH_ACCOUNT, since: 0, until, by: 'month' } as const;
  const sums = await ledger.sums(query, 1_000_000);
  return new Set(
    sums.map(({ worker, totals: { requests, cpuUs } }) => {
      const number = Number(worker.slice(1));
      assert.deepEqual([requests, cpuUs], [1, number], worker);
      return number;
    }),
  );
}
