import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { VersionId, WorkerName } from '../ids.ts';
import type { VersionRecord } from './registry.ts';
import { CRASH_ACCOUNT, type CrashLine } from './crash-child.ts';
import { openFileBlobs } from './files/index.ts';
import { openSqliteRegistry } from './sqlite/index.ts';

const CHILD = new URL('./crash-child.ts', import.meta.url);
const KILLS = 100;
const MAX_LINES_BEFORE_KILL = 16;
const MAX_JITTER_MS = 3; // an operation takes 1 to 3 ms: the kill falls anywhere in it

/** What the lines of all runs so far promise about one Worker. */
interface Expected {
  readonly versions: Set<VersionId>;
  serving: VersionId | undefined;
}

describe('embedded stores under kill -9', { timeout: 120_000 }, () => {
  it(`keep everything acknowledged, and nothing by half, over ${KILLS} kills`, async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'isola-crash-'));
    t.after(() => rmSync(dir, { recursive: true }));
    // Most of a run is compiling. Only a process that ends by itself leaves its compiled code to the next ones.
    execFileSync(process.execPath, ['-e', `import(${JSON.stringify(CHILD)})`], { env: cachedCompilation(dir) });
    const expected = new Map<WorkerName, Expected>();
    let acknowledged = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const { done, inFlight } = await runAndKill(dir);
      for (const line of done) apply(line, expected);
      acknowledged += done.length;
      const isLast = kill === KILLS - 1;
      const touched = new Set([...done, ...(inFlight === undefined ? [] : [inFlight])].map((line) => line.version));
      await check(dir, { expected, inFlight, isWorthReading: (id) => isLast || touched.has(id) });
    }
    t.diagnostic(`${acknowledged} operations acknowledged`);
    assert.ok(acknowledged > KILLS);
  });
});

async function runAndKill(dir: string): Promise<{ done: CrashLine[]; inFlight: CrashLine | undefined }> {
  const child = spawn(process.execPath, [fileURLToPath(CHILD), dir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: cachedCompilation(dir),
  });
  const exited = once(child, 'exit');
  const killAt = randomInt(1, MAX_LINES_BEFORE_KILL);
  const done: CrashLine[] = [];
  let inFlight: CrashLine | undefined;
  let lines = 0;
  for await (const text of createInterface({ input: child.stdout })) {
    const line = JSON.parse(text) as CrashLine;
    inFlight = line.phase === 'start' ? line : undefined;
    if (line.phase === 'done') done.push(line);
    lines += 1;
    if (lines === killAt) void delay(Math.random() * MAX_JITTER_MS).then(() => child.kill('SIGKILL'));
  }
  assert.equal((await exited)[1], 'SIGKILL');
  return { done, inFlight };
}

function cachedCompilation(dir: string): NodeJS.ProcessEnv {
  return { ...process.env, NODE_COMPILE_CACHE: join(dir, 'cache') };
}

function apply({ operation, worker, version }: CrashLine, expected: Map<WorkerName, Expected>): void {
  if (operation === 'delete') {
    expected.delete(worker);
    return;
  }
  const state = expected.get(worker) ?? { versions: new Set(), serving: undefined };
  state.versions.add(version!);
  state.serving = version;
  expected.set(worker, state);
}

/** Compares the stores with what was promised, and takes over what the operation in flight turned out to have done. */
async function check(
  dir: string,
  {
    expected,
    inFlight,
    isWorthReading,
  }: {
    expected: Map<WorkerName, Expected>;
    inFlight: CrashLine | undefined;
    isWorthReading: (id: VersionId) => boolean;
  },
): Promise<void> {
  await using registry = openSqliteRegistry(join(dir, 'registry.db'));
  const blobs = openFileBlobs(join(dir, 'blobs'));
  const checkBlobs = async ({ modules }: VersionRecord): Promise<void> => {
    // get() compares the hash.
    for (const { sha256, bytes } of modules) assert.equal((await blobs.get(sha256))?.byteLength, bytes);
  };

  if (inFlight !== undefined && (await hasHappened(inFlight))) apply(inFlight, expected);

  const { workers } = await registry.listWorkers(CRASH_ACCOUNT);
  assert.deepEqual(new Set(workers.map(({ name }) => name)), new Set(expected.keys()));
  for (const [worker, { versions, serving }] of expected) {
    const records = await registry.listVersions(CRASH_ACCOUNT, worker, { limit: 1e6 });
    assert.deepEqual(new Set(records.map(({ spec }) => spec.id)), versions);
    for (const record of records) if (isWorthReading(record.spec.id)) await checkBlobs(record);
    const deployments = await registry.listDeployments(CRASH_ACCOUNT, worker, { limit: 1e6 });
    for (const { shares } of deployments) assert.ok(shares.every(({ version }) => versions.has(version)));
    const [newest] = deployments;
    assert.equal(newest?.shares[0]?.version, serving);
    const route = await registry.route(CRASH_ACCOUNT, worker);
    assert.deepEqual(route?.route.shares, newest?.shares);
    await checkBlobs((await registry.versionById(serving!))!);
  }

  async function hasHappened({ operation, worker, version }: CrashLine): Promise<boolean> {
    switch (operation) {
      case 'upload':
        return (await registry.versionById(version!)) !== undefined;
      case 'deploy':
        return (await registry.route(CRASH_ACCOUNT, worker))?.route.shares[0]?.version === version;
      case 'delete':
        return (await registry.worker(CRASH_ACCOUNT, worker)) === undefined;
      default:
        throw new Error(`unknown operation ${String(operation)}`);
    }
  }
}
