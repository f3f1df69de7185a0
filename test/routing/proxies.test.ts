import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { ROOT } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

const FIXTURES = join(ROOT, 'test', 'fixtures', 'tls');
const HOST = 'echo.main.localhost';
const CLIENT = '127.0.0.1';

/** The example of this language in docs/routing.md: what people copy is what is tested. */
async function exampleOf(language: string): Promise<string> {
  const page = await readFile(join(ROOT, 'docs', 'routing.md'), 'utf8');
  return new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page)?.[1] ?? '';
}

function isInstalled(command: string): boolean {
  try {
    execFileSync(command, [command === 'nginx' ? '-v' : 'version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, CLIENT);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('Behind a reverse proxy', () => {
  let platform: TestPlatform;
  let folder: string;
  let proxy: ChildProcess | undefined;

  before(async () => {
    platform = await startTestPlatform(['--trust-proxy', '127.0.0.0/8', '--public-port', '443']);
    folder = await mkdtemp(join(tmpdir(), 'isola-proxy-'));
    await writeFile(
      join(folder, 'wrangler.json'),
      JSON.stringify({ name: 'echo', main: 'index.js', compatibility_date: '2026-01-01', preview_urls: true }),
    );
    await writeFile(
      join(folder, 'index.js'),
      `export default {
        async fetch(request) {
          if (request.headers.get('upgrade') === 'websocket') {
            const [client, server] = Object.values(new WebSocketPair());
            server.accept();
            server.addEventListener('message', ({ data }) => server.send('echo ' + data));
            return new Response(null, { status: 101, webSocket: client });
          }
          return Response.json({ url: request.url, ip: request.headers.get('cf-connecting-ip'), body: await request.text() });
        },
      };\n`,
    );
    await platform.deploy(folder);
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const start = async (command: string, args: readonly string[], port: number): Promise<AsyncDisposable> => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    });
    proxy = child;
    let output = '';
    child.stderr?.on('data', (data: Buffer) => (output += String(data)));
    for (;;) {
      if (child.exitCode !== null) throw new Error(`${command} ended\n${output}`);
      const reached = await ask(port).then(
        () => true,
        () => false,
      );
      if (reached) break;
      await new Promise((resolve) => setImmediate(resolve));
    }
    return {
      [Symbol.asyncDispose]: async () => {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
        proxy = undefined;
      },
    };
  };
  after(() => void proxy?.kill('SIGKILL'));

  const ask = (
    port: number,
    headers: Record<string, string> = {},
    body = '',
  ): Promise<{ status: number; body: string }> =>
    new Promise((resolve, reject) => {
      const req = httpsRequest(
        {
          host: CLIENT,
          port,
          path: '/a?b',
          method: 'POST',
          servername: HOST,
          rejectUnauthorized: false,
          agent: false,
          headers: { host: HOST, ...headers },
        },
        (res) => void text(res).then((answer) => resolve({ status: res.statusCode ?? 0, body: answer }), reject),
      );
      req.on('error', reject);
      req.end(body);
    });

  const check = async (port: number): Promise<void> => {
    const { status, body } = await ask(port, {}, 'hello');
    assert.equal(status, 200, body);
    assert.deepEqual(JSON.parse(body), { url: `https://${HOST}/a?b`, ip: CLIENT, body: 'hello' });
    // What a client writes itself stands before what the proxy has seen.
    const forged = await ask(port, { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'http' });
    assert.equal((JSON.parse(forged.body) as { url: string }).url, `https://${HOST}/a?b`);
    const options = { headers: { host: HOST }, servername: HOST, rejectUnauthorized: false };
    const socket = new WebSocket(`wss://${CLIENT}:${port}/`, options);
    await once(socket, 'open');
    socket.send('hi');
    const [data] = (await once(socket, 'message')) as [Buffer];
    assert.equal(String(data), 'echo hi');
    socket.close();
  };

  it('believes it about client and scheme, and wrangler prints the port that visitors use', async () => {
    const forwarded = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9, 127.0.0.5', 'x-forwarded-proto': 'https' };
    const { text: body } = await platform.request('echo', '/', { headers: { host: HOST, ...forwarded } });
    assert.deepEqual(JSON.parse(body), { url: `https://${HOST}/`, ip: '203.0.113.9', body: '' });
    const tails = await platform.control(`/accounts/${platform.account}/workers/scripts/echo/tails`, {
      method: 'POST',
      body: '{}',
      headers: forwarded,
    });
    assert.match(((await tails.json()) as { result: { url: string } }).result.url, /^wss:/);
    const audit = await platform.control('/isola/audit?limit=1');
    assert.equal(((await audit.json()) as { result: { ip: string }[] }).result[0]?.ip, '203.0.113.9');
    assert.match(await platform.wrangler(folder, ['versions', 'upload']), /https:\/\/\w{8}-echo\.main\.localhost\n/);
  });

  it(
    'nginx as docs/routing.md has it',
    { skip: isInstalled('nginx') ? false : 'NOT TESTED: nginx is not installed (apt-get install nginx-light)' },
    async () => {
      const port = await freePort();
      const site = (await exampleOf('nginx'))
        .replace('127.0.0.1:8787', new URL(platform.gatewayUrl).host)
        .replace('listen 443', `listen 127.0.0.1:${port}`)
        .replace(/ssl_certificate +\S+;/, `ssl_certificate ${join(FIXTURES, 'base.pem')};`)
        .replace(/ssl_certificate_key +\S+;/, `ssl_certificate_key ${join(FIXTURES, 'base.key')};`);
      const config = join(folder, 'nginx.conf');
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
        (name) => `${name}_temp_path ${join(folder, name)};`,
      );
      await writeFile(
        config,
        `daemon off; pid ${join(folder, 'nginx.pid')}; error_log stderr; events {}\nhttp { access_log off; ${temporary.join(' ')}\n${site}}\n`,
      );
      execFileSync('nginx', ['-t', '-q', '-c', config]);
      await using _nginx = await start('nginx', ['-c', config], port);
      await check(port);
    },
  );

  it(
    'Caddy as docs/routing.md has it, which asks before it gets a certificate',
    { skip: isInstalled('caddy') ? false : 'NOT TESTED: caddy is not installed (apt-get install caddy)' },
    async () => {
      const port = await freePort();
      const file = (await exampleOf('caddyfile'))
        .replace('127.0.0.1:8787', new URL(platform.gatewayUrl).host)
        .replace('http://127.0.0.1:8788', platform.controlUrl)
        .replace('https:// {', `https://:${port} {`)
        // A certificate authority of its own takes the place of the public one; no other port is opened.
        .replace('on_demand\n', 'on_demand\n\t\tissuer internal\n')
        .replace(
          '{\n',
          `{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n\tstorage file_system ${join(folder, 'caddy')}\n`,
        );
      const config = join(folder, 'Caddyfile');
      await writeFile(config, file);
      await using _caddy = await start('caddy', ['run', '--config', config, '--adapter', 'caddyfile'], port);
      await check(port);
      const unknown = httpsRequest({
        host: CLIENT,
        port,
        servername: 'nope.main.localhost',
        rejectUnauthorized: false,
      });
      const [error] = (await once(unknown.end(), 'error')) as [Error];
      assert.match(error.message, /alert|EPROTO|reset|disconnected/i);
    },
  );
});
