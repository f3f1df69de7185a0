import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocketServer } from 'ws';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { openSocket } from '../helpers/web-socket.ts';

/** `/standard`, `/fetch`: what a few messages there and back look like. `/through…`: put through to the upstream. */
const CLIENT = `
export default {
  async fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    const upstream = searchParams.get('to');
    if (pathname === '/through') return fetch(upstream, request);
    if (pathname === '/bridge') {
      const { webSocket: far } = await fetch(upstream, { headers: { upgrade: 'websocket' } });
      const { 0: client, 1: near } = new WebSocketPair();
      for (const [from, to] of [[near, far], [far, near]]) {
        from.accept();
        from.addEventListener('message', ({ data }) => to.send(data));
        from.addEventListener('close', ({ code, reason }) => to.close(code, reason));
      }
      return new Response(null, { status: 101, webSocket: client });
    }
    if (pathname === '/fetch') {
      const response = await fetch(upstream, { headers: { upgrade: 'websocket', 'x-key': 'secret' } });
      const { webSocket, status } = response;
      if (webSocket === null) return Response.json({ status, text: await response.text() });
      webSocket.accept();
      webSocket.send('from fetch');
      const message = await new Promise((resolve) => webSocket.addEventListener('message', resolve));
      webSocket.close(1000, 'enough');
      const { code, reason, wasClean } = await new Promise((resolve) => webSocket.addEventListener('close', resolve));
      return Response.json({ status, data: message.data, code, reason, wasClean });
    }
    if (pathname === '/first') {
      const socket = new WebSocket(upstream);
      const { data } = await new Promise((resolve) => socket.addEventListener('message', resolve));
      return Response.json(data);
    }
    const events = [];
    const socket = new WebSocket(upstream, searchParams.getAll('protocol'));
    events.push(socket.readyState, socket.binaryType);
    await new Promise((resolve) => {
      socket.onopen = () => {
        events.push(['open', socket.readyState, socket.protocol]);
        socket.binaryType = 'arraybuffer';
        socket.send('text');
        socket.send(new Uint8Array([1, 2, 3]));
        socket.send(new Blob(['blob']));
        events.push(socket.bufferedAmount);
      };
      socket.onmessage = ({ data }) => {
        events.push(typeof data === 'string' ? data : [...new Uint8Array(data)]);
        if (events.length === 7) socket.close(3001, 'bye');
      };
      socket.onerror = ({ message }) => events.push(['error', message]);
      socket.onclose = ({ code, reason, wasClean }) => resolve(events.push(['close', code, reason, wasClean]));
    });
    return Response.json(events);
  },
};`;

/** Echoes; tells its path and a header first when asked at /who. */
interface Upstream {
  readonly url: string;
  readonly seen: readonly string[];
  /** Resolves once `line` is among what it has seen. */
  readonly saw: (line: string) => Promise<void>;
  readonly close: () => void;
}

async function startUpstream(): Promise<Upstream> {
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/' }).end();
    else response.writeHead(418).end('a teapot');
  });
  const seen: string[] = [];
  const news = new EventEmitter();
  const note = (line: string): void => {
    seen.push(line);
    news.emit('line');
  };
  const saw = async (line: string): Promise<void> => {
    while (!seen.includes(line)) await once(news, 'line');
  };
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered].at(-1) ?? false });
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/moved') {
      socket.end('HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    if (request.url === '/teapot') {
      socket.end('HTTP/1.1 418 I am a teapot\r\ncontent-length: 8\r\n\r\na teapot');
      return;
    }
    const { 'x-key': key = '', 'sec-websocket-extensions': extensions = '' } = request.headers;
    note(`${request.url} ${String(key)} ${extensions}`);
    sockets.handleUpgrade(request, socket, head, (ws) => {
      if (request.url === '/greet') ws.send('at once');
      ws.on('message', (data: Buffer, isBinary: boolean) => {
        if (String(data) === 'vanish') ws.terminate();
        else if (String(data) === 'close') ws.close(4444, 'upstream closes');
        else ws.send(data, { binary: isBinary });
      });
      ws.on('close', (code, reason) => note(`closed ${code} ${reason.toString()}`));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = (): void => {
    for (const ws of sockets.clients) ws.terminate();
    server.close();
  };
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, close, seen, saw };
}

describe('a Worker as a WebSocket client', () => {
  let platform: TestPlatform;
  let upstream: Upstream;
  const ask = async (path: string): Promise<unknown> => JSON.parse((await platform.request('client', path)).text);
  before(async () => {
    upstream = await startUpstream();
    platform = await startTestPlatform(['--allow-private-egress']);
    await deployCode(platform, 'client', CLIENT);
  });
  after(async () => {
    upstream.close();
    await platform.stop();
  });

  it('new WebSocket: opens, sends, receives and closes by the standard', async () => {
    assert.deepEqual(await ask(`/standard?to=ws://${upstream.url}/a&protocol=x&protocol=y`), [
      0,
      'blob',
      ['open', 1, 'y'],
      11,
      'text',
      [1, 2, 3],
      [98, 108, 111, 98],
      ['close', 3001, 'bye', true],
    ]);
  });

  it('new WebSocket: hears what the server says right after its handshake', async () => {
    for (let i = 0; i < 10; i++) assert.equal(await ask(`/first?to=ws://${upstream.url}/greet`), 'at once');
  });

  it('fetch() with an upgrade: the response has the other end', async () => {
    assert.deepEqual(await ask(`/fetch?to=http://${upstream.url}/b`), {
      status: 101,
      data: 'from fetch',
      code: 1000,
      reason: 'enough',
      wasClean: true,
    });
    assert.ok(upstream.seen.includes('/b secret '), upstream.seen.join());
  });

  it('fetch() with an upgrade: follows redirects, and gives out another answer as it is', async () => {
    assert.partialDeepStrictEqual(await ask(`/fetch?to=http://${upstream.url}/moved`), { status: 101 });
    assert.deepEqual(await ask(`/fetch?to=http://${upstream.url}/teapot`), { status: 418, text: 'a teapot' });
  });

  it('new WebSocket: a refusal, a redirect and an unreachable server are an error and a close', async () => {
    for (const path of ['/teapot', '/moved']) {
      const events = (await ask(`/standard?to=ws://${upstream.url}${path}`)) as unknown[][];
      assert.equal(events[2]?.[0], 'error');
      assert.deepEqual(events[3], ['close', 1006, '', false]);
    }
    const events = (await ask('/standard?to=ws://127.0.0.1:9/')) as unknown[][];
    assert.deepEqual(events[3], ['close', 1006, '', false]);
  });

  for (const path of ['/through', '/bridge']) {
    it(`${path}: messages and closes pass from client to server and back`, async () => {
      const socket = await openSocket(platform, 'client', `${path}?to=http://${upstream.url}/far`);
      const large = Buffer.alloc(3_000_000, 'x');
      socket.send('hello');
      socket.send(large);
      assert.equal(await socket.next(), 'hello');
      assert.ok(large.equals((await socket.next()) as Buffer));
      await socket.close(4321, 'over');
      const again = await openSocket(platform, 'client', `${path}?to=http://${upstream.url}/far`);
      await upstream.saw('closed 4321 over');
      again.send('close');
      assert.deepEqual(await again.closed, { code: 4444, reason: 'upstream closes' });
    });
  }

  it('/through: ends on one side when the other vanishes', async () => {
    const socket = await openSocket(platform, 'client', `/through?to=http://${upstream.url}/far`);
    socket.send('vanish');
    assert.equal((await socket.closed).code, 1001);
  });

  it('a subprotocol goes through', async () => {
    const socket = await openSocket(platform, 'client', `/through?to=http://${upstream.url}/far`, {
      protocols: ['p', 'q'],
    });
    assert.equal(socket.ws.protocol, 'q');
    await socket.close();
  });
});

describe('a Worker as a WebSocket client, without private addresses', () => {
  it('is refused as for fetch', async () => {
    const upstream = await startUpstream();
    using cleanUp = new DisposableStack();
    cleanUp.defer(() => upstream.close());
    await using platform = await startTestPlatform(['--egress-ports', 'any']);
    await deployCode(platform, 'client', CLIENT);
    const { text } = await platform.request('client', `/standard?to=ws://${upstream.url}/`);
    assert.match(text, /private address refused/);
    await deployCode(platform, 'named', CLIENT);
    const named = await platform.request('named', `/standard?to=ws://localhost:${upstream.url.split(':')[1]}/`);
    assert.match(named.text, /Name not resolved/); // no DNS server knows it, and the machine's own list of hosts does not count
    assert.deepEqual(upstream.seen, []);
  });
});
