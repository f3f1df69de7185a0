import assert from 'node:assert/strict';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { connect } from 'node:net';
import { type Exchange, openChannel } from '../channel/index.ts';
import { answering, linkCell, route, send, SILENT, startGateway, type TestGateway, TOKEN, until } from './testing.ts';

const host = 'hello.acme.localhost';
const ok = answering((exchange) => exchange.respond(200, 'OK', 'hi', true));

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startGateway();
});
afterEach(() => gateway.stop());

describe('a cell', () => {
  it('that crashes is a 502 for the requests it had; those that come next wait for its successor', async () => {
    const open: Exchange[] = [];
    const cell = await gateway.link('one', {
      onRequest(exchange, head) {
        open.push(exchange);
        if (head.includes('/begun')) exchange.respond(200, 'OK', 'begin', false);
        return SILENT;
      },
    });
    const waiting = [send(gateway), send(gateway), send(gateway, { method: 'POST', body: 'x' })];
    const begun = get({ port: gateway.port, path: '/begun', headers: { host } });
    const [res] = await once(begun, 'response');
    await until(async () => open.length === 4);
    const broken = once(res, 'error');
    cell.destroy();
    for (const answer of await Promise.all(waiting)) {
      assert.equal(answer.status, 502);
      assert.match(answer.body, /Bad gateway/);
    }
    res.resume();
    assert.equal((await broken)[0].code, 'ECONNRESET');
    const next = [send(gateway), send(gateway, { method: 'POST', body: 'x' })];
    await until(async () => (await gateway.stats()).held === 2);
    await gateway.link('one', ok);
    for (const answer of await Promise.all(next)) assert.equal(answer.status, 200);
    const stats = await gateway.stats();
    assert.equal(stats.badGateway, 3);
    assert.equal(stats.brokenOff, 1);
    assert.equal(stats.active, 0);
  });

  it('that breaks the protocol loses its link, and the gateway goes on', async () => {
    const socket = connect(gateway.socketPath);
    socket.write(`cell bad ${TOKEN}\n`);
    const bad = openChannel(socket, { ids: 'even' }, { onRequest: () => SILENT });
    bad.notify('ready', null);
    await gateway.supervisor.call('cells', { cells: [{ id: 'bad', cordon: 'default' }] });
    const lost = send(gateway);
    await until(async () => bad.openExchanges === 1);
    socket.write(Buffer.alloc(9, 0xff));
    assert.equal((await lost).status, 502);
    await gateway.link('good', ok);
    assert.equal((await send(gateway)).status, 200);
  });

  it('that resets before the head is a 502, or a 503 when it refuses', async () => {
    let code = 3;
    await gateway.link(
      'one',
      answering((exchange) => exchange.reset(code, 'no')),
    );
    assert.equal((await send(gateway)).status, 502);
    code = 2;
    assert.equal((await send(gateway)).status, 503);
  });

  it('is taken only with the token, and only if listed', async () => {
    const closed = Promise.withResolvers<void>();
    await linkCell(gateway.socketPath, 'thief', 'wrong-token-0123456', { onClose: () => closed.resolve() });
    await closed.promise;
    assert.equal(statSync(gateway.socketPath).mode & 0o777, 0o600);
    await gateway.link('one', ok);
    await gateway.supervisor.call('cells', { cells: [] });
    const held = send(gateway);
    await until(async () => (await gateway.stats()).held === 1);
    await gateway.supervisor.call('cells', { cells: [{ id: 'one', cordon: 'default' }] });
    assert.equal((await held).status, 200);
  });

  it('keeps its Workers while others come; a busy one gives requests away', async () => {
    const served = new Map<string, number>();
    const open: Exchange[] = [];
    let hold = false;
    const counting = (id: string) =>
      answering((exchange) => {
        served.set(id, (served.get(id) ?? 0) + 1);
        if (hold) open.push(exchange);
        else exchange.respond(200, 'OK', id, true);
      });
    for (const id of ['a', 'b', 'c']) await gateway.link(id, counting(id));
    for (let i = 0; i < 10; i++) await send(gateway);
    assert.equal(served.size, 1);
    hold = true;
    const agent = new Agent({ maxSockets: 200 });
    const answers = Array.from({ length: 100 }, () =>
      once(get({ port: gateway.port, agent, headers: { host } }), 'response'),
    );
    await until(async () => open.length === 100);
    assert.ok(served.size > 1);
    for (const exchange of open) exchange.respond(200, 'OK', 'x', true);
    for (const [res] of await Promise.all(answers)) res.resume();
    agent.destroy();
  });
});

describe('the supervisor', () => {
  it('drains: what is in flight finishes, connections close, new ones are not taken', async () => {
    const opened = Promise.withResolvers<Exchange>();
    await gateway.link('one', {
      onRequest(exchange, head) {
        if (head.includes('/slow')) opened.resolve(exchange);
        else exchange.respond(200, 'OK', 'hi', true);
        return SILENT;
      },
    });
    const agent = new Agent({ keepAlive: true });
    const idle = get({ port: gateway.port, agent, headers: { host } });
    const [first] = await once(idle, 'response');
    first.resume();
    const slow = send(gateway, { path: '/slow', headers: { connection: 'keep-alive' } });
    const exchange = await opened.promise;
    const drained = gateway.supervisor.call('drain', { timeoutMs: 60_000 });
    await gateway.stats();
    await assert.rejects(send(gateway), { code: 'ECONNREFUSED' });
    exchange.respond(200, 'OK', 'late', true);
    const answer = await slow;
    assert.equal(answer.body, 'late');
    assert.equal(answer.headers.connection, 'close');
    await drained;
    assert.equal((await gateway.stats()).connections, 0);
    agent.destroy();
  });

  it('ends a drain that takes too long', async () => {
    await gateway.link('one', { onRequest: () => SILENT });
    const stuck = assert.rejects(send(gateway), { code: 'ECONNRESET' });
    await until(async () => (await gateway.stats()).active === 1);
    await gateway.supervisor.call('drain', { timeoutMs: 20 });
    await stuck;
  });

  it('decides about the end: signals are ignored, a closed channel is exit 0', async () => {
    gateway.process.kill('SIGINT');
    gateway.process.kill('SIGTERM');
    await gateway.stats();
    gateway.supervisor.destroy();
    assert.deepEqual(await once(gateway.process, 'exit'), [0, null]);
  });

  it('gets an error for a call that cannot be answered', async () => {
    await assert.rejects(gateway.supervisor.call('start', {}), /already started/);
    await assert.rejects(gateway.supervisor.call('nonsense', {}), /no such method/);
    await assert.rejects(gateway.supervisor.call('drain', null), /not an object/);
  });

  it('registers 100,000 Workers at less than 1 KB each', async () => {
    await gateway.link('one', ok);
    const before = (await gateway.stats()).memory;
    for (let chunk = 0; chunk < 10; chunk++) {
      const set = Array.from({ length: 10_000 }, (_, i) => route(`worker-${chunk * 10_000 + i}`));
      await gateway.supervisor.call('routes', { set });
    }
    const { routes, memory } = await gateway.stats();
    assert.equal(routes, 100_001);
    const each = (memory - before) / 100_000;
    assert.ok(each < 1024, `a route takes ${each} bytes`);
    assert.equal((await send(gateway, { host: 'worker-99999.acme.localhost' })).status, 200);
  });
});
