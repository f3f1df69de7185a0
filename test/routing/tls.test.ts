import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { WebSocket } from 'ws';
import { ROOT, spawnIsola } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

const run = promisify(execFile);
const FIXTURES = join(ROOT, 'test', 'fixtures', 'tls');

describe('isola serve with a certificate', () => {
  let platform: TestPlatform;
  let folder: string;
  let tlsPort: number;
  const cert = (): string => join(folder, 'cert.pem');
  const key = (): string => join(folder, 'key.pem');
  const use = (name: string): Promise<unknown> =>
    Promise.all([copyFile(join(FIXTURES, `${name}.pem`), cert()), copyFile(join(FIXTURES, `${name}.key`), key())]);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isola-tls-'));
    await use('base');
    const files = ['--tls-cert', cert(), '--tls-key', key(), '--tls-check-seconds', '1'];
    const tls = [...files, '--tls-port', '0', '--redirect-https'];
    platform = await startTestPlatform(tls);
    const ready = platform.output.find((line) => line.includes('"event":"ready"')) ?? '';
    tlsPort = Number(new URL((JSON.parse(ready) as { tls: string }).tls).port);
    await writeFile(
      join(folder, 'wrangler.json'),
      JSON.stringify({ name: 'echo', main: 'index.js', compatibility_date: '2026-01-01' }),
    );
    await writeFile(
      join(folder, 'index.js'),
      `export default {
        async fetch(request) {
          if (request.headers.get('upgrade') === 'websocket') {
            const [client, server] = Object.values(new WebSocketPair());
            server.accept();
            server.addEventListener('message', ({ data }) => server.send(request.url + ' ' + data));
            return new Response(null, { status: 101, webSocket: client });
          }
          const body = await request.text();
          const headers = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-bytes', String(body.length)]]);
          return new Response(request.method + ' ' + request.url, { headers });
        },
      };\n`,
    );
    await platform.deploy(folder);
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const curl = async (...args: string[]): Promise<string> => {
    const host = `echo.main.localhost:${tlsPort}`;
    const common = [
      '-sS',
      '-i',
      '--max-time',
      '20',
      '--cacert',
      join(FIXTURES, 'base.pem'),
      '--resolve',
      `${host}:127.0.0.1`,
    ];
    return (await run('curl', [...common, ...args, `https://${host}/p?q`])).stdout;
  };

  it('answers curl by HTTP/2 and by HTTP/1.1, with the certificate checked', async () => {
    const [two, one] = await Promise.all([curl('--http2'), curl('--http1.1')]);
    assert.match(two, /^HTTP\/2 200/);
    assert.match(one, /^HTTP\/1.1 200 OK/);
    for (const output of [two, one]) {
      assert.match(output, new RegExp(`GET https://echo\\.main\\.localhost:${tlsPort}/p\\?q$`));
      assert.equal(output.match(/set-cookie/gi)?.length, 2);
    }
    const upload = join(folder, 'upload');
    await writeFile(upload, Buffer.alloc(3_000_000, 'x'));
    for (const version of ['--http2', '--http1.1']) {
      assert.match(await curl(version, '--data-binary', `@${upload}`), /x-bytes: 3000000/i);
    }
    assert.match(await curl('--http2', '-I'), /^HTTP\/2 200/);
  });

  it('opens WebSockets on the same port', async () => {
    const socket = new WebSocket(`wss://127.0.0.1:${tlsPort}/ws`, {
      headers: { host: 'echo.main.localhost' },
      rejectUnauthorized: false,
    });
    await once(socket, 'open');
    socket.send('hello');
    const [data] = (await once(socket, 'message')) as [Buffer];
    assert.equal(String(data), 'https://echo.main.localhost/ws hello');
    socket.close();
  });

  it('sends visitors of the plain port on', async () => {
    const { status, headers } = await platform.request('echo', '/x');
    assert.equal(status, 308);
    assert.equal(headers.location, `https://echo.main.localhost:${tlsPort}/x`);
  });

  it('takes new files without a restart, and keeps the old certificate when they do not fit', async () => {
    const subject = async (): Promise<string> => {
      const socket = connect({ host: '127.0.0.1', port: tlsPort, servername: 'x.test', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { CN = '' } = socket.getPeerCertificate().subject;
      socket.destroy();
      return String(CN);
    };
    assert.equal(await subject(), 'isola test');
    await copyFile(join(FIXTURES, 'shop.key'), key());
    await platform.line(/does not belong to the first certificate/);
    assert.equal(await subject(), 'isola test');
    await use('shop');
    await platform.line(/certificates have changed/);
    assert.equal(await subject(), 'isola test shop');
    await use('base');
    await platform.line(/certificates have changed/);
  });
});

describe('isola serve with files that are no certificate', () => {
  const serve = async (...args: string[]): Promise<{ code: number | null; text: string }> => {
    const data = await mkdtemp(join(tmpdir(), 'isola-tls-'));
    const server = spawnIsola(['serve', '--port', '0', '--control-port', '0', '--data', data, ...args]);
    const { code } = await server.exited;
    await rm(data, { recursive: true, force: true });
    return { code, text: server.stderr.join('\n') };
  };
  const base = (kind: string): string => join(FIXTURES, `base.${kind}`);

  it('says which file, and what is wrong with it', async () => {
    const cases = [
      [['--tls-cert', base('pem')], 2, /1 --tls-cert with 0 --tls-key/],
      [['--redirect-https'], 2, /without --tls-cert/],
      [['--tls-cert', '/nowhere.pem', '--tls-key', base('key')], 1, /Cannot read --tls-cert \/nowhere\.pem: ENOENT/],
      [['--tls-cert', base('key'), '--tls-key', base('key')], 1, /base\.key: it is not a PEM certificate/],
      [['--tls-cert', base('pem'), '--tls-key', base('pem')], 1, /base\.pem: it is not a PEM private key/],
      [['--tls-cert', base('pem'), '--tls-key', join(FIXTURES, 'shop.key')], 1, /shop\.key: it does not belong to/],
      [['--trust-proxy', '10.0.0.0/99'], 1, /Cannot trust 10\.0\.0\.0\/99/],
      [['--trust-proxy', 'proxy.local'], 2, /addresses or networks/],
    ] as const;
    for (const [args, expected, message] of cases) {
      const { code, text } = await serve(...args);
      assert.match(text, message);
      assert.equal(code, expected, text);
    }
  });
});
