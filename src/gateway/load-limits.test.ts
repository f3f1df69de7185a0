import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Exchange } from '../channel/index.ts';
import { LoadLimits } from './load-limits.ts';
import { SILENT, send, sendRaw, startGateway, type TestGateway, testPair, until } from './testing.ts';

const HOST = 'hello.acme.localhost';
const GET = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
const HANDSHAKE = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

describe('LoadLimits', () => {
  const limits = new LoadLimits({ addressConnections: 0, addressRequests: 0, accountRequests: 0 });

  it('takes a /64 for one client, whatever its spelling', () => {
    const load = limits.ofAddress('2001:db8::1');
    for (const same of ['2001:db8:0:0:ffff::', '2001:0db8::a:b:c:d', '2001:db8::1%eth0']) {
      assert.equal(limits.ofAddress(same), load);
    }
    assert.notEqual(limits.ofAddress('2001:db8:0:1::1'), load);
    assert.notEqual(limits.ofAddress('192.0.2.1'), limits.ofAddress('192.0.2.2'));
  });

  it('has no limit by the number 0', () => {
    const many = { connections: 1e9, requests: 1e9 };
    assert.ok(limits.mayConnect(many) && limits.addressMayAsk(many) && limits.accountMayTake(many));
  });
});

/** Opens a connection and sends `text`; what comes back is in `said`. */
function open(port: number, text = ''): { socket: Socket; said: () => string } {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk) => (answer += String(chunk)));
  socket.on('error', () => {});
  socket.write(text);
  return { socket, said: () => answer };
}

describe('A gateway whose clients may have 3 connections', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway({
      start: {
        loadLimits: { addressConnections: 3, addressRequests: 0, accountRequests: 0 },
        tls: { port: 0, pairs: [testPair('base')] },
      },
    });
    await gateway.link('a', {
      onRequest: (exchange) => {
        exchange.respond(200, '', 'hi', true);
        return SILENT;
      },
    });
  });
  after(() => gateway.stop());

  it('serves three, answers 429 to the fourth, and takes it when another has gone', async () => {
    const three = [open(gateway.port), open(gateway.port), open(gateway.port)];
    await until(async () => (await gateway.stats()).connections === 3);
    assert.match(await sendRaw(gateway, ''), /^HTTP\/1\.1 429 [^]*retry-after: 1\r\n[^]*connection: close\r\n/);
    assert.equal((await gateway.stats()).overLimit, 1);
    const [first] = three;
    first?.socket.write(GET);
    await until(async () => first?.said().includes('hi') === true);
    first?.socket.destroy();
    await until(async () => (await gateway.stats()).connections === 2);
    assert.equal((await send(gateway)).body, 'hi');
    for (const { socket } of three) socket.destroy();
    await until(async () => (await gateway.stats()).connections === 0);
  });

  it('counts those of the TLS port from before their handshake', async () => {
    const port = gateway.tlsPort ?? 0;
    const options = { host: '127.0.0.1', port, servername: HOST, rejectUnauthorized: false };
    const silent = [open(port), open(port), open(port)];
    await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
    const refused = connectTls(options);
    const [error] = (await once(refused, 'error')) as [Error];
    assert.match(error.message, /ECONNRESET|disconnected|EPIPE/);
    for (const { socket } of silent) socket.destroy();
    // Their end may be noticed after the next connection has come.
    for (;;) {
      const session = connectHttp2(`https://127.0.0.1:${port}`, { servername: HOST, rejectUnauthorized: false });
      session.on('error', () => {});
      const stream = session.request({ ':authority': HOST });
      stream.on('error', () => {});
      // oxlint-disable-next-line no-await-in-loop -- until one is taken
      const outcome = await Promise.race([
        once(stream, 'response').then(() => 'response'),
        once(session, 'close'),
      ]).catch(() => 'refused');
      session.destroy();
      if (outcome === 'response') break;
    }
    await until(async () => (await gateway.stats()).connections === 0);
  });
});

describe('A gateway whose clients may have 2 requests under way, and accounts 3', () => {
  let gateway: TestGateway;
  const waiting: Exchange[] = [];
  before(async () => {
    gateway = await startGateway({
      start: {
        loadLimits: { addressConnections: 0, addressRequests: 2, accountRequests: 3 },
        trustedProxies: ['127.0.0.1'],
      },
    });
    await gateway.link('a', {
      onRequest: (exchange, head) => {
        if (head.includes('/upgrade')) exchange.respond(101, '', '', false);
        else waiting.push(exchange);
        return SILENT;
      },
    });
  });
  after(() => gateway.stop());
  const from = (address: string, path = '/'): ReturnType<typeof send> =>
    send(gateway, { path, headers: { 'x-forwarded-for': address } });
  const finish = async (count: number): Promise<void> => {
    await until(async () => waiting.length === count);
    for (const exchange of waiting.splice(0)) exchange.respond(200, '', 'hi', true);
  };

  it('answers 429 to the third of a client, and serves another one’s', async () => {
    const two = [from('192.0.2.1'), from('192.0.2.1')];
    await until(async () => waiting.length === 2);
    const refused = await from('192.0.2.1');
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '1');
    const other = from('192.0.2.2');
    await finish(3);
    for (const { status } of await Promise.all([...two, other])) assert.equal(status, 200);
    const again = from('192.0.2.1');
    await finish(1);
    assert.equal((await again).status, 200);
  });

  it('answers 503 to the fourth of an account, its open WebSockets among them', async () => {
    const { socket, said } = open(gateway.port, HANDSHAKE.replace('GET /', 'GET /upgrade'));
    await until(async () => said().startsWith('HTTP/1.1 101'));
    await until(async () => (await gateway.stats()).webSockets === 1);
    const two = [from('192.0.2.1'), from('192.0.2.2')];
    await until(async () => waiting.length === 2);
    assert.match((await from('192.0.2.3')).body, /^503 [^]*for this address/);
    socket.destroy();
    await until(async () => (await gateway.stats()).webSockets === 0);
    const third = from('192.0.2.3');
    await finish(3);
    for (const { status } of await Promise.all([...two, third])) assert.equal(status, 200);
    assert.equal((await gateway.stats()).active, 0);
  });

  it('counts a request whose client leaves no longer', async () => {
    for (let round = 0; round < 5; round++) {
      const { socket } = open(gateway.port, GET.replace('\r\n\r\n', '\r\nx-forwarded-for: 192.0.2.9\r\n\r\n'));
      // oxlint-disable-next-line no-await-in-loop -- one after another
      await until(async () => waiting.length === 1);
      socket.destroy();
      // oxlint-disable-next-line no-await-in-loop -- as above
      await until(async () => (await gateway.stats()).active === 0);
      waiting.length = 0;
    }
    const answer = from('192.0.2.9');
    await finish(1);
    assert.equal((await answer).status, 200);
  });
});
