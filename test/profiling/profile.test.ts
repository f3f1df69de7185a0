/** CPU profiles of a Worker in production, of a whole platform: the API and `isola profile`. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { spawnIsola } from '../helpers/isola-process.ts';
import { keepAsking } from '../helpers/keep-asking.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const BUSY = `function sorts() {
  const numbers = [];
  for (let i = 0; i < 20_000; i++) numbers.push(Math.sin(i * 7));
  return numbers.sort().length;
}
let count = 0;
export default { async fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/spin') for (;;) sorts();
  if (pathname === '/count') return new Response(String(++count));
  await fetch('http://127.0.0.1/').catch(() => {}); // refused at once
  return new Response(String(sorts()));
} }`;

const HOARDER = `const kept = [];
export default { fetch() {
  for (;;) kept.push(new Uint8Array(16 * 1024 * 1024).fill(1));
} }`;

const COMPUTE = `export interface Sorted {
  readonly count: number;
}

/** Sorts that many numbers. */
export function compute(count: number): number {
  const numbers: number[] = [];
  for (let i = 0; i < count; i++) numbers.push(Math.sin(i * 7));
  return numbers.sort().length;
}
`;

interface Node {
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly hitCount: number;
}
interface Answer {
  readonly errors: readonly { readonly code: number; readonly message: string }[];
  readonly result: { version: string; profile: { nodes: Node[]; samples: number[]; timeDeltas: number[] } } | null;
}

describe('A CPU profile', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform(['--cells', '1', '--cell-memory-mib', '512']);
    await deployCode(platform, 'busy', BUSY, [], { cpu_ms: 5_000 });
    await deployCode(platform, 'hoarder', HOARDER, [], { cpu_ms: 5_000 });
    await deployCode(platform, 'strict', BUSY, [], { cpu_ms: 50 });
  });
  after(() => platform.stop());

  const take = async (
    worker: string,
    seconds = 1,
    signal?: AbortSignal,
  ): Promise<{ status: number; answer: Answer }> => {
    const path = `/accounts/main/workers/scripts/${worker}/isola/profile?seconds=${seconds}`;
    const response = await platform.control(path, { method: 'POST', ...(signal && { signal }) });
    return { status: response.status, answer: (await response.json()) as Answer };
  };
  /** Begins one that takes a minute. Resolves when there is a cell for it, to its id and to how it went. */
  const begin = async (signal?: AbortSignal): Promise<{ cell: string; taken: ReturnType<typeof take> }> => {
    const earlier = new Set(platform.output);
    const taken = take('busy', 60, signal);
    taken.catch(() => {});
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- until it is none of an earlier profile
      const ready = await platform.line(/"event":"cell-ready".*"cordon":"f\.main"/);
      if (!earlier.has(ready)) return { cell: (JSON.parse(ready) as { id: string }).id, taken };
    }
  };
  const hitsOf = (nodes: readonly Node[], name: string): number =>
    nodes.filter(({ callFrame }) => callFrame.functionName === name).reduce((sum, { hitCount }) => sum + hitCount, 0);
  /** Of what ran. How many samples there are depends on how much of the machine there was. */
  const isHottest = (nodes: readonly Node[], name: string): boolean => {
    const names = new Set(nodes.map(({ callFrame }) => callFrame.functionName));
    const others = [...names].filter((other) => other !== name && other !== '(idle)' && other !== '(program)');
    return hitsOf(nodes, name) > Math.max(...others.map((other) => hitsOf(nodes, other)));
  };
  const keepAskingFor = (worker: string, path: string, over: Promise<unknown>): Promise<number[]> =>
    keepAsking(over, async () => (await platform.request(worker, path)).status);

  it('shows what the Worker computes while it serves', async () => {
    assert.equal((await platform.request('busy', '/count')).text, '1');
    const taking = take('busy');
    const statuses = await keepAskingFor('busy', '/', taking);
    const { status, answer } = await taking;
    assert.equal(status, 200, JSON.stringify(answer.errors));
    assert.ok(statuses.length > 3 && statuses.every((one) => one === 200), statuses.join());
    const { nodes, samples, timeDeltas } = answer.result!.profile;
    assert.ok(
      isHottest(nodes, 'sorts'),
      JSON.stringify(nodes.map(({ callFrame, hitCount }) => [callFrame.functionName, callFrame.url, hitCount])),
    );
    assert.equal(samples.length, timeDeltas.length);
    assert.match(nodes.find(({ callFrame }) => callFrame.functionName === 'sorts')!.callFrame.url, /index\.js$/);
    // Back in its old cell, in the instance from before.
    assert.equal((await platform.request('busy', '/count')).text, '2');
  });

  it('is there of a Worker that passes its CPU limit, which costs nobody anything', async () => {
    const taking = take('strict');
    const statuses = await keepAskingFor('strict', '/spin', taking);
    const { status, answer } = await taking;
    assert.equal(status, 200, JSON.stringify(answer.errors));
    assert.ok(
      statuses.every((one) => one === 503),
      statuses.join(),
    );
    assert.ok(isHottest(answer.result!.profile.nodes, 'sorts'));
    assert.equal((await platform.request('strict', '/count')).text, '1');
  });

  it('is lost with a Worker that passes its memory limit, which costs nobody anything', async () => {
    assert.equal((await platform.request('busy', '/count')).text, '3');
    const taking = take('hoarder');
    const statuses = await keepAskingFor('hoarder', '/', taking);
    const { status, answer } = await taking;
    assert.equal(status, 503);
    assert.equal(answer.errors[0]!.code, 10_366);
    assert.ok(
      statuses.every((one) => one >= 500),
      statuses.join(),
    );
    assert.equal((await platform.request('busy', '/count')).text, '4');
    assert.ok(!platform.output.some((line) => line.includes('"event":"quarantine"')));
  });

  it('is of one Worker of an account at a time', async () => {
    const taking = take('busy');
    const statuses = await keepAskingFor(
      'busy',
      '/',
      take('strict').then(({ status, answer }) => {
        assert.equal(status, 429);
        assert.equal(answer.errors[0]!.code, 10_365);
      }),
    );
    assert.ok(statuses.every((one) => one === 200));
    assert.equal((await taking).status, 200);
  });

  it('is 404 of what is not there, and 400 of a time beyond its range', async () => {
    assert.equal((await take('nobody')).status, 404);
    const elsewhere = '/accounts/elsewhere/workers/scripts/busy/isola/profile';
    assert.equal((await platform.control(elsewhere, { method: 'POST' })).status, 404);
    for (const seconds of [0, 61, 1.5]) assert.equal((await take('busy', seconds)).status, 400);
  });

  it('is a flame graph and a file by isola profile', async () => {
    const out = await mkdtemp(join(tmpdir(), 'isola-profile-'));
    const args = ['profile', 'busy', '--seconds', '1', '--out', out, '--url', platform.controlUrl];
    const child = spawnIsola(args, { ISOLA_ADMIN_TOKEN: platform.token });
    await keepAskingFor('busy', '/', child.exited);
    assert.equal((await child.exited).code, 0, child.stderr.join('\n'));
    assert.match(child.stdout.join('\n'), /^SELF +SHARE +FUNCTION +WHERE\n[^]*\bsorts +\S*index\.js:1\n/);
    const { nodes } = JSON.parse(await readFile(join(out, 'busy.cpuprofile'), 'utf8')) as { nodes: Node[] };
    assert.ok(isHottest(nodes, 'sorts'));
    assert.match(await readFile(join(out, 'busy-flame.svg'), 'utf8'), /^<svg [^]*<title>sorts \S*index\.js:1: /);
    await rm(out, { recursive: true });
  });

  it('is in terms of the sources when wrangler has uploaded source maps', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isola-mapped-'));
    const config = { name: 'mapped', main: 'index.ts', compatibility_date: '2026-01-01', upload_source_maps: true };
    await writeFile(join(folder, 'wrangler.json'), JSON.stringify({ ...config, minify: true }));
    await writeFile(join(folder, 'compute.ts'), COMPUTE);
    const index = `import { compute } from './compute';\nexport default { fetch: () => new Response(String(compute(20_000))) };`;
    await writeFile(join(folder, 'index.ts'), index);
    await platform.deploy(folder);
    await rm(folder, { recursive: true });
    const taking = take('mapped');
    await keepAskingFor('mapped', '/', taking);
    const { nodes } = (await taking).answer.result!.profile;
    const found = nodes.filter(({ callFrame }) => callFrame.url.endsWith('compute.ts'));
    assert.ok(
      found.some(({ callFrame, hitCount }) => callFrame.lineNumber === 5 && hitCount > 0),
      JSON.stringify(nodes),
    );
  });

  it('is over when nobody waits for it any more, and the next one may begin', async () => {
    const client = new AbortController();
    const { cell, taken } = await begin(client.signal);
    const ended = platform.line(new RegExp(`"event":"cell-exit","id":"${cell}"`));
    client.abort();
    await assert.rejects(taken);
    await ended;
    const taking = take('busy');
    await keepAskingFor('busy', '/', taking);
    assert.equal((await taking).status, 200);
    // It ended in order.
    assert.ok(!platform.output.some((line) => line.includes('linkLost') && line.includes(`\\"${cell}\\"`)));
  });

  it('does not keep the platform from stopping', async () => {
    const { taken } = await begin();
    const startedAt = performance.now();
    await platform.stop();
    assert.ok(performance.now() - startedAt < 40_000, 'it was waited for');
    const { status, answer } = await taken;
    assert.deepEqual([status, answer.errors[0]!.code], [503, 10_366]);
  });
});
