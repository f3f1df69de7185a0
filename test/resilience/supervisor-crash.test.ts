import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { type IsolaProcess, spawnIsola } from '../helpers/isola-process.ts';
import { toUploadForm } from '../helpers/quick-deploy.ts';

const TOKEN = 'token-of-the-end-to-end-tests';
const KILLS = 4;

interface Ready {
  readonly gateway: string;
  readonly control: string;
}

describe('A supervisor that is killed during a deploy', () => {
  it('serves the old or the new version after a restart, never neither', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'isola-test-'));
    const start = async (): Promise<{ server: IsolaProcess; ready: Ready; pid: number }> => {
      const args = ['serve', '--json', '--port', '0', '--control-port', '0', '--data', folder];
      const server = spawnIsola(args, { ISOLA_ADMIN_TOKEN: TOKEN });
      const { pid } = JSON.parse(await server.line(/"event":"starting"/)) as { pid: number };
      return { server, pid, ready: JSON.parse(await server.line(/"event":"ready"/)) as Ready };
    };
    try {
      let { server, ready, pid } = await start();
      assert.equal(await deploy(ready, 0), 200);
      let acknowledged = 0;
      for (let kill = 1; kill <= KILLS; kill++) {
        // The kill comes at another point of the deploy each time: after so many answers of a warm-up request.
        const deploying = deploy(ready, kill).then((status) => {
          if (status === 200) acknowledged = kill;
        });
        deploying.catch(() => {});
        for (let asked = 1; asked < kill * 2; asked++) await get(ready);
        process.kill(pid, 'SIGKILL');
        await server.exited;
        await deploying.catch(() => {});
        ({ server, ready, pid } = await start());
        const { status, body } = await get(ready);
        assert.equal(status, 200);
        const serving = Number(body.slice(1));
        assert.ok(serving >= acknowledged && serving <= kill, `v${serving} serves, v${acknowledged} was acknowledged`);
        acknowledged = serving;
      }
      server.kill('SIGTERM');
      assert.equal((await server.exited).code, 0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

async function deploy({ control }: Ready, version: number): Promise<number> {
  const response = await fetch(`${control}/client/v4/accounts/main/workers/scripts/app`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: toUploadForm(`export default { fetch: () => new Response("v${version}") }`),
  });
  await response.text();
  return response.status;
}

function get({ gateway }: Ready): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(gateway);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, headers: { host: 'app.main.localhost' }, agent: false }, (incoming) => {
      text(incoming).then((body) => resolve({ status: incoming.statusCode ?? 0, body }), reject);
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
