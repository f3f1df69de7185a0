/**
 * Every everyday command of stock wrangler against one platform, in the order in which a developer may use them. With
 * `ISOLA_WRANGLER=<folder of another wrangler's package>` it tells what that version gets.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform, type TestWrangler } from '../helpers/platform.ts';
import { WRANGLER_VERSION } from '../helpers/wrangler.ts';

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/;
const isOld = Number(WRANGLER_VERSION.split('.')[1]) < 150 || WRANGLER_VERSION.startsWith('3.');

describe(`wrangler ${WRANGLER_VERSION}`, { concurrency: false }, () => {
  let platform: TestPlatform;
  let folder: string;
  const versions: string[] = [];

  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'isola-project-'));
    await mkdir(join(folder, 'public'));
    await write({
      'lib.ts': 'export const greet = (name: string) => `hello ${name}`;\n',
      'note.txt': 'a note',
      'worker.js': `addEventListener('fetch', (event) => event.respondWith(new Response('service worker')));\n`,
      'page.js': 'export default { fetch: (request, env) => env.ASSETS.fetch(request) };\n',
      'public/index.html': '<h1>home</h1>',
      'public/about.html': '<h1>about</h1>',
      'secrets.json': '{"FROM_FILE":"file secret"}',
      'bulk-secrets.json': '{"ONE":"1","TWO":"2"}',
      'bulk.json': '[{"key":"a","value":"va"},{"key":"b","value":"vb"}]',
      'keys.json': '["a","b"]',
      'wrangler.jsonc': JSON.stringify({
        name: 'app',
        main: 'index.ts',
        compatibility_date: '2025-09-01',
        rules: [{ type: 'Text', globs: ['**/*.txt'] }],
        vars: { MODE: 'production' },
        triggers: { crons: ['*/5 * * * *'] },
        env: { staging: { vars: { MODE: 'staging' } } },
      }),
      'sw.jsonc': JSON.stringify({ name: 'sw', main: 'worker.js', compatibility_date: '2025-09-01' }),
      'site.jsonc': JSON.stringify({ name: 'site', compatibility_date: '2025-09-01', assets: { directory: 'public' } }),
      'pages.jsonc': JSON.stringify({
        name: 'pages',
        main: 'page.js',
        compatibility_date: '2025-09-01',
        assets: { directory: 'public', binding: 'ASSETS', run_worker_first: true },
      }),
      'kept.jsonc': JSON.stringify({
        name: 'app',
        main: 'index.ts',
        compatibility_date: '2025-09-01',
        rules: [{ type: 'Text', globs: ['**/*.txt'] }],
      }),
    });
    await writeMain('one');
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const write = (files: Readonly<Record<string, string>>) =>
    Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
  const writeMain = (text: string) =>
    write({
      'index.ts': `
        import { greet } from './lib.ts';
        import note from './note.txt';
        export default {
          fetch(request: Request, env: Record<string, string>) {
            console.log('asked for', new URL(request.url).pathname);
            if (request.url.endsWith('/throw')) throw new TypeError('thrown on purpose');
            if (request.url.endsWith('/env')) return Response.json(env);
            return new Response(\`${text}: \${greet('x')}, \${note}, \${env.MODE}\`);
          },
          scheduled() {},
        };\n`,
    });
  const run = (line: string, options?: TestWrangler) => platform.wrangler(folder, line.split(' '), options);
  const ask = async (worker: string, path = '/') => (await platform.request(worker, path)).text;
  const env = async (worker = 'app') => JSON.parse(await ask(worker, '/env')) as Record<string, string>;
  /** One test for each command, titled by it. */
  const command = (line: string, check: (output: string) => unknown, options?: TestWrangler): void => {
    void it(line, async () => {
      await check(await run(line, options));
    });
  };
  const noteVersion = (output: string): void => {
    const [id] = UUID.exec(output) ?? [];
    assert.ok(id, output);
    versions.push(id);
  };

  command('whoami', (output) => assert.match(output, /main/));
  command('deploy --dry-run', (output) => assert.match(output, /dry-run/));
  command('deploy', async (output) => {
    noteVersion(output.slice(output.indexOf('Current Version ID')));
    assert.equal(await ask('app'), 'one: hello x, a note, production');
  });
  it('deploy again', async () => {
    await writeMain('two');
    const output = await run(`deploy${isOld ? '' : ' --message second'}`);
    noteVersion(output.slice(output.indexOf('Current Version ID')));
    assert.equal(await ask('app'), 'two: hello x, a note, production');
  });
  command('deploy -e staging', async () => assert.equal(await ask('app-staging'), 'two: hello x, a note, staging'));
  command('deploy -c sw.jsonc', async () => assert.equal(await ask('sw'), 'service worker'));
  command('deploy -c site.jsonc', async () => {
    assert.equal(await ask('site'), '<h1>home</h1>');
    assert.equal(await ask('site', '/about'), '<h1>about</h1>');
  });
  command('deploy -c pages.jsonc', async () => assert.equal(await ask('pages', '/about'), '<h1>about</h1>'));
  command('triggers deploy', (output) => assert.match(output, /\*\/5 \* \* \* \*/));

  it('secret put', async () => {
    await run('secret put API_KEY', { input: 'put secret' });
    assert.equal((await env())['API_KEY'], 'put secret');
  });
  command('secret list', (output) => assert.match(output, /API_KEY[\s\S]*secret_text/));
  command('secret bulk bulk-secrets.json', async () => {
    const { ONE, TWO, API_KEY } = await env();
    assert.deepEqual([ONE, TWO, API_KEY], ['1', '2', 'put secret']);
  });
  command('secret delete ONE', async () => assert.equal((await env())['ONE'], undefined));
  it('deploy keeps secrets', async () => {
    await run('deploy');
    assert.equal((await env())['API_KEY'], 'put secret');
  });
  it('deploy --secrets-file', { skip: isOld && 'not in this version' }, async () => {
    await run('deploy --secrets-file secrets.json');
    const { FROM_FILE, API_KEY } = await env();
    assert.deepEqual([FROM_FILE, API_KEY], ['file secret', 'put secret']);
  });
  command('deploy -c kept.jsonc --keep-vars', async () => assert.equal((await env())['MODE'], 'production'));
  command('deploy -c kept.jsonc', async () => assert.equal((await env())['MODE'], undefined));

  command('versions upload --tag v3 --message third', async (output) => {
    noteVersion(output.slice(output.indexOf('Version ID')));
    assert.equal((await env())['MODE'], undefined);
  });
  command('versions list', (output) => assert.match(output, new RegExp(versions.at(-1)!)));
  it('versions view', async () => assert.match(await run(`versions view ${versions.at(-1)}`), /v3/));
  it('versions deploy', async () => {
    await run(`versions deploy ${versions[1]}@75% ${versions.at(-1)}@25% -y`);
    assert.match(await run('deployments status'), /75%[\s\S]*25%|25%[\s\S]*75%/);
  });
  it('versions secret put', async () => {
    const output = await run('versions secret put LATER', { input: 'not yet' });
    assert.match(output, /LATER/);
    assert.equal((await env())['LATER'], undefined);
  });
  command('versions secret bulk bulk-secrets.json', (output) => assert.match(output, /ONE|2 secrets|Success/i));
  command('versions secret list', (output) => assert.match(output, /API_KEY/));
  command('versions secret delete ONE', (output) => assert.match(output, /ONE/));
  command('deployments list', (output) => assert.match(output, new RegExp(versions[1]!)));
  command('deployments status', (output) => assert.match(output, UUID));
  command('rollback -y', (output) => assert.match(output, UUID));
  it('rollback with an id', async () => {
    await run(`rollback ${versions[0]} -y`);
    assert.equal(await ask('app'), 'one: hello x, a note, production');
  });

  for (const format of ['json', 'pretty']) {
    it(`tail --format ${format}`, async () => {
      const tail = platform.spawnWrangler(folder, [
        'tail',
        'app',
        '--format',
        format,
        '--status',
        'error',
        '--method',
        'GET',
      ]);
      try {
        // As JSON it does not say when it is connected: asked for until it shows.
        while (!tail.output().includes('thrown on purpose')) {
          await ask('app', '/throw');
          assert.equal(tail.child.exitCode, null, tail.output());
        }
        await ask('app', '/fine');
        assert.doesNotMatch(tail.output(), /asked for \/fine/);
        assert.match(tail.output(), /asked for/);
      } finally {
        tail.child.kill('SIGTERM');
        await tail.exited;
      }
    });
  }

  describe('kv', { concurrency: false }, () => {
    const title = WRANGLER_VERSION.startsWith('3.') ? 'app-things' : 'things';
    const remote = WRANGLER_VERSION.startsWith('3.') ? '' : ' --remote';
    let id: string;
    const kv = (line: string, options?: TestWrangler) => run(`kv ${line} --namespace-id ${id}${remote}`, options);

    it('namespace create', async () => {
      const output = await run('kv namespace create things');
      [id = ''] = /[0-9a-f]{32}/.exec(output) ?? [];
      assert.ok(id, output);
      await assert.rejects(run('kv namespace create things'), /already exists/);
    });
    it('namespace list', async () =>
      assert.match(await run('kv namespace list'), new RegExp(`${id}[\\s\\S]*${title}`)));
    it('key put, with metadata and expiration', async () => {
      await kv('key put hello world');
      await kv('key put dir/file --path note.txt --metadata {"by":"me"} --ttl 3600');
    });
    it('key get', async () => {
      assert.match(await kv('key get hello'), /^world$/m);
      assert.match(await kv('key get dir/file'), /a note/);
      await assert.rejects(kv('key get absent'), /404/);
    });
    it('key list', async () => {
      const keys = JSON.parse(await kv('key list --prefix dir')) as {
        name: string;
        expiration: number;
        metadata: unknown;
      }[];
      assert.deepEqual(
        keys.map(({ name, metadata }) => ({ name, metadata })),
        [{ name: 'dir/file', metadata: { by: 'me' } }],
      );
      assert.ok(keys[0]!.expiration > Date.now() / 1000 + 3000);
    });
    it('key delete', async () => {
      await kv('key delete hello');
      await assert.rejects(kv('key get hello'), /404/);
    });
    it('bulk put', async () => {
      await kv('bulk put bulk.json');
      assert.match(await kv('key get b'), /^vb$/m);
    });
    it('bulk get', { skip: WRANGLER_VERSION.startsWith('3.') && 'not in this version' }, async () => {
      assert.match(await kv('bulk get keys.json'), /va[\s\S]*vb/);
    });
    it('bulk delete', async () => {
      await kv('bulk delete keys.json --force');
      await assert.rejects(kv('key get a'), /404/);
    });
    it('namespace rename', { skip: isOld && 'not in every version' }, async () => {
      await run(`kv namespace rename --namespace-id ${id} --new-name renamed`);
      assert.match(await run('kv namespace list'), /renamed/);
    });
    it('deploy makes a namespace for a binding without id', { skip: isOld && 'not in this version' }, async () => {
      await write({
        'kv.js': `export default { async fetch(request, { KV }) {
          await KV.put('seen', 'by the Worker');
          return new Response(await KV.get('seen'));
        } }`,
        'kv.jsonc': JSON.stringify({
          name: 'kv',
          main: 'kv.js',
          compatibility_date: '2025-09-01',
          kv_namespaces: [{ binding: 'KV' }],
        }),
      });
      await run('deploy -c kv.jsonc');
      assert.equal(await ask('kv'), 'by the Worker');
      await run('deploy -c kv.jsonc --message again');
      assert.equal(await ask('kv'), 'by the Worker');
    });
    it('namespace delete', async () => {
      await run(`kv namespace delete --namespace-id ${id}`);
      assert.doesNotMatch(await run('kv namespace list'), new RegExp(id));
    });
  });

  for (const [line, product] of [
    ['d1 create database', 'D1'],
    ['queues create jobs', 'Queues'],
    ['r2 bucket create bucket', 'R2'],
    ['workflows list', 'Workflows'],
    ['vectorize list', 'Vectorize'],
    ['hyperdrive list', 'Hyperdrive'],
    ['pages project list', 'Pages'],
  ] as const) {
    it(`${line} is refused naming ${product}`, async () => {
      await assert.rejects(run(line), (error: Error) => {
        assert.match(error.message, new RegExp(`has no ${product} yet[\\s\\S]*10300`));
        if (!WRANGLER_VERSION.startsWith('3.')) assert.match(error.message, /errors\/10300/); // 3 prints no links
        return true;
      });
    });
  }

  command('delete --force', async () => assert.equal((await platform.request('app', '/')).status, 404));
  it('leaves nothing of the secrets in the output of the platform', () => {
    assert.ok(platform.output.every((line) => !line.includes('put secret') && !line.includes('file secret')));
  });
});
