/** A cell that has been taken over writes what it likes: gateway and supervisor close its channel, and go on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createEgress } from '../../src/broker/index.ts';
import { CacheStore, serveCache } from '../../src/cache/index.ts';
import { CELL_FRAME_BYTES } from '../../src/cell/index.ts';
import { toResourceHead } from '../../src/cell/resources.ts';
import { FRAME } from '../../src/channel/codec.ts';
import { openChannel } from '../../src/channel/index.ts';
import { messageFrame, SocketFactory } from '../../src/channel/testing.ts';
import { openTestControl, type TestControl } from '../../src/control/testing.ts';
import { startGateway, type TestGateway, TOKEN } from '../../src/gateway/testing.ts';
import { Random, SEED } from '../../src/guest/testing/random.ts';
import type { AccountId, WorkerName } from '../../src/ids.ts';
import { createKvService, serveKv } from '../../src/kv/index.ts';
import { createAssetResource } from '../../src/supervisor/asset-resource.ts';
import type { CellUsage } from '../../src/usage/index.ts';
import { createCellHandlers } from '../../src/supervisor/cell-handlers.ts';
import { InvocationLog } from '../../src/supervisor/invocation-log.ts';
import { hostileFrames, type Peer } from './frames.ts';
import { FUZZ_MS, fuzzing } from './time.ts';

const WRITES = 20; // of one link
const ANSWER_MS = 200; // clients give up after so long
const CLIENTS = 4;
const CHECK_EVERY = 50; // links
const MAX_MEMORY_BYTES = 600 * 1024 * 1024;

describe(`A cell that writes what it likes (ISOLA_FUZZ_SEED=${SEED})`, { timeout: FUZZ_MS * 3 + 60_000 }, () => {
  const random = new Random(SEED);

  describe('to the gateway', () => {
    let gateway: TestGateway;
    before(async () => {
      gateway = await startGateway();
      await gateway.supervisor.call('cells', { cells: [{ id: 'c0', cordon: 'default' }] });
    });
    after(() => gateway.stop());

    it('ends its own link at most', async () => {
      const heads = ['', 'OK\ncontent-type\ntext/plain\ncontent-length\n4\nset-cookie\na=b', 'OK\nupgrade\nwebsocket'];
      const peer: Peer = { heads, params: [null, { id: 'c0' }, { message: 'x' }, []] };
      const goesOn = fuzzing();
      for (let links = 0; goesOn(); links++) {
        const socket = connect(gateway.socketPath);
        socket.on('error', () => {});
        const clients = Array.from({ length: CLIENTS }, () => ask(gateway.port));
        socket.write(`cell c0 ${TOKEN}\n`);
        socket.write(messageFrame(FRAME.notify, 0, '["ready",null]'));
        // oxlint-disable-next-line no-await-in-loop -- one link after the other
        await writeHostile(socket, peer);
        // oxlint-disable-next-line no-await-in-loop -- as above
        await Promise.all(clients);
        if (links % CHECK_EVERY > 0) continue;
        // oxlint-disable-next-line no-await-in-loop -- as above
        assert.ok((await gateway.stats()).memory < MAX_MEMORY_BYTES);
        assert.equal(gateway.process.exitCode, null);
      }
      assert.equal(gateway.process.exitCode, null);
    });

    it('and the next cell serves', async () => {
      await gateway.link('c0', {
        onRequest(exchange) {
          exchange.respond(200, 'OK\ncontent-length\n2', Buffer.from('ok'), true);
          return { onData() {}, onEnd() {}, onReset() {} };
        },
      });
      assert.equal(await ask(gateway.port, 10_000), 200);
    });
  });

  describe('to the supervisor', () => {
    const sockets = new SocketFactory();
    const folder = mkdtempSync(join(tmpdir(), 'isola-fuzz-'));
    let control: TestControl;
    let version: string;
    before(async () => {
      await sockets.open();
      control = await openTestControl();
      const uploaded = await control.upload('/workers/scripts/hello', { modules: { 'index.js': 'export default {}' } });
      assert.equal(uploaded.status, 200);
      const { result } = await control.request('GET', '/workers/scripts/hello/versions');
      version = result.items[0].id;
    });
    after(async () => {
      sockets.close();
      await control[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    it('gets answers, refusals, or its channel closed', async () => {
      const { registry, blobs, vault, kv } = control;
      const onWarning = (): void => {};
      const mapStacks = () => undefined;
      const log = new InvocationLog(folder, { onRecord() {}, onTailed() {}, onLine() {}, mapStacks });
      const cache = new CacheStore({ maxBytes: 1e6, maxAccountBytes: 5e5, now: Date.now });
      const kvService = createKvService(kv, Date.now);
      const egress = createEgress({ allowPrivate: false, resolve: () => Promise.reject(new Error('no network')) });
      const resources = {
        assets: createAssetResource({ registry, blobs }),
        cache: (exchange, request) => serveCache(cache, exchange, request),
        kv: (exchange, request) => serveKv(kvService, exchange, request),
      } satisfies Parameters<typeof createCellHandlers>[0]['resources'];
      const account = 'main' as AccountId;
      const question = { account, worker: 'hello' as WorkerName, ray: 'r' };
      const peer: Peer = {
        heads: [
          'main\nhello\nray\n0\nGET\nhttp://example.com/\nfollow\naccept\n*/*',
          'main\nhello\nray\n0\nGET\nhttp://127.0.0.1/\nfollow\nupgrade\nwebsocket',
          'other\nhello\nray\n0\nPOST\nhttp://example.com/\nmanual',
          toResourceHead({ ...question, kind: 'kv', id: 'namespace', head: 'get\nkey\n{}' }),
          toResourceHead({ ...question, kind: 'kv', id: '', head: 'list\n{"limit":-1,"cursor":"x"}' }),
          toResourceHead({ ...question, kind: 'cache', id: '', head: 'PUT\nhttp://a/\n\nd\ncache-control\nmax-age=9' }),
          toResourceHead({ ...question, kind: 'cache', id: '', head: 'match\nhttp://a/\n\nd' }),
          toResourceHead({ ...question, kind: 'assets', id: version, head: 'GET\nhttp://a/' }),
        ],
        params: [
          null,
          { id: version },
          { id: '../../etc/passwd' },
          { account, worker: 'hello' },
          { account: 'other', worker: 'hello' },
          { account: '__proto__', worker: 'constructor' },
          'notable',
          'tailed',
          { message: 'x'.repeat(10_000) },
        ],
      };
      const usage = { allow() {}, take: () => Promise.resolve() } as unknown as CellUsage;
      const goesOn = fuzzing();
      let links = 0;
      for (; goesOn(); links++) {
        const told = { log, usage, onStats() {}, onWarning };
        const handlers = createCellHandlers({ registry, blobs, vault, egress, resources, mayRun: () => true, ...told });
        // oxlint-disable-next-line no-await-in-loop -- one link after the other
        const { left, right } = await sockets.pair();
        left.on('error', () => {});
        const channel = openChannel(right, { ids: 'odd', maxFrameBytes: CELL_FRAME_BYTES }, handlers);
        // So that it may speak for the account.
        left.write(messageFrame(FRAME.call, 2, JSON.stringify(['version', { id: version }])));
        // oxlint-disable-next-line no-await-in-loop -- as above
        await writeHostile(left, peer);
        channel.close();
      }
      assert.ok(links > 10);
      assert.ok(process.memoryUsage().rss < 2 * MAX_MEMORY_BYTES);
      await log.close();
      await egress.close();
    });
  });

  /** Until it has written enough, or was cut off. */
  async function writeHostile(socket: Socket, peer: Peer): Promise<void> {
    socket.resume();
    const closed = once(socket, 'close').catch(() => {});
    for (let left = WRITES; left > 0 && !socket.destroyed; left--) {
      const bytes = hostileFrames(peer, random);
      // oxlint-disable-next-line no-await-in-loop -- as a peer writes
      await Promise.race([new Promise((resolve) => socket.write(bytes, resolve)), closed]);
    }
    socket.destroy();
    await closed;
  }
});

/** The status, or 0 when nothing came, or it broke off. */
function ask(port: number, patienceMs = ANSWER_MS): Promise<number> {
  return new Promise((resolve) => {
    let status = 0;
    const headers = { host: 'hello.acme.localhost' };
    const outgoing = request({ host: '127.0.0.1', port, headers, agent: false }, (incoming) => {
      status = incoming.statusCode ?? 0;
      incoming.on('error', () => {});
      incoming.resume();
    });
    const timer = setTimeout(() => outgoing.destroy(), patienceMs);
    outgoing.on('upgrade', (_response, socket) => socket.destroy());
    outgoing.on('error', () => {});
    outgoing.on('close', () => {
      clearTimeout(timer);
      resolve(status);
    });
    outgoing.end();
  });
}
