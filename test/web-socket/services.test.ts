import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { openSocket } from '../helpers/web-socket.ts';

const INNER = `
export default {
  fetch(request) {
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    server.addEventListener('message', ({ data }) => {
      if (data === 'spin') for (;;);
      server.send('inner ' + data);
    });
    server.addEventListener('close', ({ code, reason }) => console.log('inner saw', code, reason));
    return new Response(null, { status: 101, webSocket: client });
  },
};`;

const OUTER = `
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/pass') return env.INNER.fetch(request);
    if (pathname === '/unasked') return env.INNER.fetch('http://inner/').catch((error) => new Response(error.message));
    const { webSocket } = await env.INNER.fetch('http://inner/', { headers: { Upgrade: 'WebSocket' } });
    webSocket.accept();
    const said = [];
    const next = () => new Promise((resolve) => webSocket.addEventListener('message', ({ data }) => resolve(data), { once: true }));
    for (const word of ['one', 'two']) {
      webSocket.send(word);
      said.push(await next());
    }
    webSocket.close(4000, 'outer');
    await new Promise((resolve) => webSocket.addEventListener('close', ({ code, reason }) => resolve(said.push(code, reason))));
    return Response.json(said);
  },
};`;

/** Both ends in one Worker. */
const PAIR = `
export default {
  async fetch() {
    const { 0: a, 1: b } = new WebSocketPair();
    const events = [];
    const note = (name, end) => {
      end.addEventListener('message', ({ data }) => {
        events.push([name, typeof data === 'string' ? data : [...new Uint8Array(data)]]);
        if (data === 'ping') end.send('pong');
        if (data === 'pong') end.close(4321, 'enough');
      });
      end.addEventListener('close', ({ code, reason, wasClean }) => events.push([name, code, reason, wasClean, end.readyState]));
    };
    note('a', a);
    note('b', b);
    b.accept();
    b.send(new Uint8Array([1, 2]));
    const errors = [];
    const attempt = (what) => { try { what(); } catch (error) { errors.push(error.name); } };
    attempt(() => a.send('too early'));
    a.accept();
    a.accept();
    a.send('ping');
    await scheduler.wait(1);
    attempt(() => a.send('too late'));
    attempt(() => new Response(null, { webSocket: a }));
    attempt(() => new Response(null, { status: 101 }));
    attempt(() => new Response(null, { status: 101, webSocket: {} }));
    attempt(() => new Response('body', { status: 101, webSocket: a }));
    attempt(() => new WebSocket('ws://example.com/#x'));
    attempt(() => new WebSocket('ftp://example.com/'));
    attempt(() => new WebSocket('ws://example.com/', ['a', 'A']));
    attempt(() => new WebSocketPair()[0].close(1005));
    return Response.json({ events, errors });
  },
};`;

describe('WebSockets among Workers', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await deployCode(platform, 'inner', INNER);
    await deployCode(platform, 'outer', OUTER, [{ type: 'service', name: 'INNER', service: 'inner' }]);
    await deployCode(platform, 'pair', PAIR);
  });
  after(() => platform.stop());

  it('a 101 across a service binding has the other end', async () => {
    const { text } = await platform.request('outer', '/');
    assert.deepEqual(JSON.parse(text), ['inner one', 'inner two', 4000, 'outer']);
  });

  it('is put through to the client', async () => {
    const socket = await openSocket(platform, 'outer', '/pass');
    socket.send('hello');
    assert.equal(await socket.next(), 'inner hello');
    await socket.close(4001, 'through');
    const record = await platform.line(/inner saw 4001 through/);
    assert.match(record, /"worker":"inner"/);
  });

  it('ends when the Worker behind it does', async () => {
    const socket = await openSocket(platform, 'outer', '/pass');
    socket.send('spin');
    assert.equal((await socket.closed).code, 1011);
    const replaced = await openSocket(platform, 'outer', '/pass');
    await deployCode(platform, 'inner', `${INNER}//`);
    assert.equal((await replaced.closed).code, 1012);
  });

  it('is an exception when nobody asked for one', async () => {
    const { status, text } = await platform.request('outer', '/unasked');
    assert.equal(status, 500);
    assert.match(text, /threw an exception/);
  });

  it('both ends of a pair in one Worker', async () => {
    const { text } = await platform.request('pair', '/');
    assert.deepEqual(JSON.parse(text), {
      events: [
        ['a', [1, 2]],
        ['b', 'ping'],
        ['a', 'pong'],
        ['b', 4321, 'enough', true, 3],
        ['a', 4321, 'enough', true, 3],
      ],
      errors: [
        'TypeError',
        'TypeError',
        'RangeError',
        'RangeError',
        'TypeError',
        'TypeError',
        'SyntaxError',
        'SyntaxError',
        'SyntaxError',
        'InvalidAccessError',
      ],
    });
  });
});
