/** `isola serve` and `isola start`: what they print, keep and promise about their end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { spawnIsola } from '../helpers/isola-process.ts';
import { startTestPlatform } from '../helpers/platform.ts';

const FREE_PORTS = ['--port', '0', '--control-port', '0'];

describe('isola serve', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isola-serve-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('makes a token at the first start, shows it once, and ends in order at SIGTERM', async () => {
    const data = join(folder, 'first');
    const first = spawnIsola(['serve', '--json', ...FREE_PORTS, '--data', data]);
    const { token, path } = JSON.parse(await first.line(/"event":"token"/)) as { token: string; path: string };
    assert.ok(token.length >= 32);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await readFile(path, 'utf8')).trim(), token);

    const ready = await first.line(/"event":"ready"/);
    const url = String.raw`http:\/\/127\.0\.0\.1:\d+`;
    assert.match(ready, new RegExp(`^\\{"event":"ready","gateway":"${url}","control":"${url}","account":"main"\\}$`));
    const { control } = JSON.parse(ready) as { control: string };
    const verify = (bearer: string) =>
      fetch(`${control}/client/v4/user/tokens/verify`, { headers: { authorization: `Bearer ${bearer}` } });
    assert.equal((await verify(token)).status, 200);
    assert.equal((await verify(`${token}x`)).status, 401);
    first.kill('SIGTERM');
    assert.deepEqual(await first.exited, { code: 0, signal: null });
    for (const line of first.stdout) JSON.parse(line);

    const second = spawnIsola(['serve', '--json', ...FREE_PORTS, '--data', data]);
    await second.line(/"event":"ready"/);
    second.kill('SIGINT');
    assert.deepEqual(await second.exited, { code: 0, signal: null });
    assert.doesNotMatch(second.stdout.join('\n'), new RegExp(token));
  });

  it('answers what is under way before it ends', async () => {
    await using platform = await startTestPlatform();
    await platform.deploy('examples/streaming');
    const response = await platform.open('streaming', '/?from=4');
    const [first] = (await once(response, 'data')) as [Buffer];
    const stopped = platform.stop();
    assert.equal(first.toString() + (await text(response)), '4\n3\n2\n1\nlift-off\n');
    await stopped;
  });

  it('serves after a restart what was deployed before', async () => {
    const data = join(folder, 'restart');
    const token = 'a-token-for-the-restart';
    const env = { ISOLA_ADMIN_TOKEN: token };
    const first = spawnIsola(['start', '--json', ...FREE_PORTS, '--data', data], env);
    const started = JSON.parse(await first.line(/"event":"ready"/)) as { gateway: string };
    assert.equal(await ask(started.gateway, 'hello.main.localhost'), 'Hello World!\n');
    assert.match(await ask(started.gateway, 'storefront.main.localhost'), /Good day/);
    first.kill('SIGTERM');
    assert.equal((await first.exited).code, 0);

    const second = spawnIsola(['serve', '--json', ...FREE_PORTS, '--data', data], env);
    const again = JSON.parse(await second.line(/"event":"ready"/)) as { gateway: string };
    assert.equal(await ask(again.gateway, 'hello.main.localhost'), 'Hello World!\n');
    second.kill('SIGTERM');
    assert.equal((await second.exited).code, 0);
  });

  describe('on a port that is taken', () => {
    let other: Server;
    let port: number;
    before(async () => {
      other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      ({ port } = other.address() as AddressInfo);
    });
    after(() => other.close());

    for (const option of ['--port', '--control-port']) {
      it(`says so and names ${option}`, async () => {
        const others = option === '--port' ? ['--control-port', '0'] : ['--port', '0'];
        const data = join(folder, `taken${option}`);
        const server = spawnIsola(['serve', '--json', option, String(port), ...others, '--data', data]);
        assert.deepEqual(await server.exited, { code: 1, signal: null });
        const message = `error: Cannot listen: port ${port} of 127.0.0.1 is in use by another program.`;
        assert.ok(server.stderr.includes(`${message} Stop it, or choose another ${option}.`), server.stderr.join('\n'));
      });
    }
  });

  it('refuses a token that can be guessed', async () => {
    const server = spawnIsola(['serve', ...FREE_PORTS, '--data', join(folder, 'weak')], { ISOLA_ADMIN_TOKEN: 'short' });
    assert.equal((await server.exited).code, 2);
    assert.match(server.stderr.join('\n'), /ISOLA_ADMIN_TOKEN: must be at least 16 characters/);
  });
});

async function ask(gateway: string, host: string): Promise<string> {
  const outgoing = request(gateway, { headers: { host }, agent: false }).end();
  const [incoming] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream];
  return await text(incoming);
}
