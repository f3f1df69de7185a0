/** The stock wrangler of this repository against the control API: what a developer types. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HELLO, MAIN, openTestControl, servingVersion, TOKEN, type TestControl } from './testing.ts';

const WRANGLER = fileURLToPath(new URL('../../node_modules/wrangler/bin/wrangler.js', import.meta.url));
const RUN_TIMEOUT_MS = 60_000; // a run takes 1 s; a busy machine takes longer
// The smallest module with a memory: (module (memory 1))
const WASM = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 5, 3, 1, 0, 1);

describe('stock wrangler', { timeout: 300_000 }, () => {
  it('whoami, deploy twice, list, split, roll back and delete', async (t) => {
    await using control = await openTestControl();
    const wrangler = await openProject(t, control);

    assert.match((await wrangler('whoami')).output, /Main.*main/);

    const first = await wrangler('deploy', '--message', 'one');
    assert.equal(first.exitCode, 0, first.output);
    assert.match(first.output, /hello\.main\.apps\.test/);
    const firstId = (await servingVersion(control))!;
    assert.match(first.output, new RegExp(`Current Version ID: ${firstId}`));
    // Hidden until wrangler asked for the default URL.
    assert.deepEqual(
      control.platform.published.map(({ hidden }) => hidden === true),
      [true, false],
    );
    const [code] = control.platform.checked;
    assert.deepEqual(code!.modules.map(({ kind }) => kind).toSorted(), ['data', 'esm', 'text', 'wasm']);
    assert.deepEqual(code!.spec.bindings.map(({ type, name }) => `${type} ${name}`).toSorted(), [
      'json CONF',
      'plain_text GREETING',
      'service SELF',
      'version_metadata VERSION',
    ]);
    assert.equal(code!.spec.limits.cpuMs, 100);

    assert.equal((await wrangler('deploy', '--message', 'two')).exitCode, 0);
    const secondId = (await servingVersion(control))!;
    assert.notEqual(secondId, firstId);

    const upload = await wrangler('versions', 'upload', '--tag', 't3');
    assert.equal(upload.exitCode, 0, upload.output);
    assert.equal(await servingVersion(control), secondId);
    const [third] = await control.registry.listVersions(MAIN, HELLO);
    assert.equal(third?.spec.tag, 't3');

    const versions = await wrangler('versions', 'list');
    for (const id of [firstId, secondId, third.spec.id]) assert.ok(versions.output.includes(id));
    assert.match((await wrangler('versions', 'view', third.spec.id)).output, /Tag: +t3/);

    const split = await wrangler('versions', 'deploy', `${secondId}@25%`, `${third.spec.id}@75%`, '-y');
    assert.equal(split.exitCode, 0, split.output);
    assert.deepEqual(
      control.platform.published
        .at(-1)
        ?.shares.map(({ percentage }) => percentage)
        .toSorted(),
      [25, 75],
    );
    assert.match((await wrangler('deployments', 'status')).output, /\(25%\)[^]*\(75%\)|\(75%\)[^]*\(25%\)/);

    const toFirst = await wrangler('rollback', firstId, '-y', '-m', 'back');
    assert.equal(toFirst.exitCode, 0, toFirst.output);
    assert.equal(await servingVersion(control), firstId);
    const back = await wrangler('rollback', '-y');
    assert.equal(back.exitCode, 0, back.output);
    assert.equal(await servingVersion(control), secondId);
    assert.match((await wrangler('deployments', 'list')).output, /Message: +back/);

    const removal = await wrangler('delete');
    assert.equal(removal.exitCode, 0, removal.output);
    assert.equal(await control.registry.worker(MAIN, HELLO), undefined);
    assert.deepEqual(control.platform.withdrawn, ['main/hello']);
  });

  it('deploy --dry-run asks for nothing', async (t) => {
    await using control = await openTestControl();
    const wrangler = await openProject(t, control);
    assert.equal((await wrangler('deploy', '--dry-run')).exitCode, 0);
    assert.deepEqual(control.platform.checked, []);
  });

  it('shows why it was refused, once, and leaves nothing behind', async (t) => {
    await using control = await openTestControl();
    const wrangler = await openProject(t, control);
    const token = await wrangler.with({ CLOUDFLARE_API_TOKEN: 'wrong' })('deploy');
    assert.match(token.output, /Invalid access token \[code: 9109\]/);
    const account = await wrangler.with({ CLOUDFLARE_ACCOUNT_ID: 'nobody' })('deploy');
    assert.match(account.output, /There is no account 'nobody' \[code: 10002\]/);
    control.platform.checkResult = { ok: false, message: 'Uncaught Error: no (index.js:3:9)' };
    const broken = await wrangler('deploy');
    assert.match(broken.output, /Uncaught Error: no .*\[code: 10021\]/);
    assert.equal(control.platform.checked.length, 1);
    control.platform.checkResult = { ok: true, startupMs: 1, handlers: ['fetch'] };
    const kv = await wrangler('deploy', '--config', 'kv.json');
    assert.match(kv.output, /there is no KV namespace '1{32}' in this account \[code: 10320\]/);
    for (const { exitCode } of [token, account, broken, kv]) assert.equal(exitCode, 1);
    assert.equal((await control.registry.listWorkers(MAIN)).total, 0);
  });

  it('keeps a Worker with workers_dev = false hidden all along, and takes a base URL that ends in a slash', async (t) => {
    await using control = await openTestControl();
    const wrangler = await openProject(t, control);
    const url = `${wrangler.baseUrl}/`;
    const deploy = await wrangler.with({ CLOUDFLARE_API_BASE_URL: url })('deploy', '--config', 'private.json');
    assert.equal(deploy.exitCode, 0, deploy.output);
    assert.ok(control.platform.published.every(({ hidden }) => hidden === true));
  });
});

interface Wrangler {
  (...args: string[]): Promise<{ exitCode: number; output: string }>;
  /** The same with other environment variables. */
  with(overrides: Record<string, string>): (...args: string[]) => Promise<{ exitCode: number; output: string }>;
  readonly baseUrl: string;
}

async function openProject(t: { after(fn: () => void): void }, { app }: TestControl): Promise<Wrangler> {
  const dir = mkdtempSync(join(tmpdir(), 'isola-wrangler-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const config = {
    name: 'hello',
    main: 'src/index.ts',
    compatibility_date: '2026-01-01',
    rules: [{ type: 'Data', globs: ['**/*.bin'] }],
    vars: { GREETING: 'hi', CONF: { a: 1 } },
    version_metadata: { binding: 'VERSION' },
    services: [{ binding: 'SELF', service: 'hello' }],
    limits: { cpu_ms: 100 },
  };
  mkdirSync(join(dir, 'src'));
  const files = {
    'wrangler.json': JSON.stringify(config),
    'kv.json': JSON.stringify({ ...config, kv_namespaces: [{ binding: 'KV', id: '1'.repeat(32) }] }),
    'private.json': JSON.stringify({ ...config, workers_dev: false }),
    'src/index.ts': `import text from './text.txt'; import data from './data.bin'; import wasm from './memory.wasm';
      export default { fetch: (request: Request) => new Response(text + data.byteLength + request.url + wasm) };`,
    'src/text.txt': 'text',
    'src/data.bin': Uint8Array.of(0, 255),
    'src/memory.wasm': WASM,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);

  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  const baseUrl = `${origin}/client/v4`;
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: dir,
    CI: 'true',
    NO_COLOR: '1',
    CLOUDFLARE_API_BASE_URL: baseUrl,
    CLOUDFLARE_API_TOKEN: TOKEN,
    CLOUDFLARE_ACCOUNT_ID: MAIN,
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_HIDE_BANNER: 'true',
  };
  const runWith =
    (overrides: Record<string, string>) =>
    (...args: string[]): Promise<{ exitCode: number; output: string }> =>
      new Promise((resolve) => {
        const options = { cwd: dir, env: { ...env, ...overrides }, timeout: RUN_TIMEOUT_MS };
        execFile(process.execPath, ['--no-warnings', WRANGLER, ...args], options, (error, stdout, stderr) =>
          resolve({ exitCode: Number(error?.code ?? 0), output: stdout + stderr }),
        );
      });
  return Object.assign(runWith({}), { with: runWith, baseUrl });
}
