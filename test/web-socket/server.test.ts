import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { openSocket } from '../helpers/web-socket.ts';

const ECHO = `
export default {
  fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === '/refused') return new Response('not for you', { status: 403 });
    if (request.headers.get('upgrade') !== 'websocket') return new Response('plain');
    const { 0: client, 1: server } = new WebSocketPair();
    if (pathname === '/early') server.accept(), server.send('before the answer');
    if (pathname === '/deaf') console.log('deaf');
    if (pathname === '/deaf') return new Response(null, { status: 101, webSocket: client });
    if (pathname === '/late') { ctx.waitUntil(scheduler.wait(20).then(() => start(server))); }
    else start(server);
    const headers = { 'x-from': 'worker', 'set-cookie': 'a=b' };
    const protocols = request.headers.get('sec-websocket-protocol');
    if (protocols) headers['sec-websocket-protocol'] = protocols.split(',')[1].trim();
    return new Response(null, { status: 101, webSocket: client, headers });
  },
};
function start(server) {
  server.accept();
  server.addEventListener('message', ({ data }) => {
    if (data === 'close') server.close(4001, 'as you wish');
    else if (data === 'bare') server.close();
    else if (data === 'throw') throw new Error('thrown in a listener');
    else if (data === 'spin') for (;;);
    else if (data === 'flood') { const bytes = new ArrayBuffer(1 << 20); for (let i = 0; i < 80; i++) server.send(bytes); }
    else if (data === 'patch') {
      Promise.prototype.then = Array.prototype.push = Map.prototype.get = EventTarget.prototype.dispatchEvent = () => { throw new Error('patched') };
      server.send('patched');
    }
    else if (data === 'work') { const until = Date.now(); let n = 0; for (let i = 0; i < 3e6; i++) n += i % 7; server.send('worked'); }
    else server.send(data);
  });
  server.addEventListener('close', ({ code, reason, wasClean }) => {
    console.log('closed', code, reason, wasClean, server.readyState);
    server.close(code === 1006 ? undefined : code, reason);
  });
}`;

describe('a Worker as a WebSocket server', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    // Twenty times what a message takes, and a third of what thirty take.
    await deployCode(platform, 'echo', ECHO, [], { cpu_ms: 300 });
  });
  after(() => platform.stop());

  it('echoes text, empty and binary messages, in order', async () => {
    const socket = await openSocket(platform, 'echo');
    const sent = ['hello', '', 'gr\u00fc\u00dfe \u{1f600}', Buffer.from([0, 1, 255]), Buffer.alloc(0), 'last'];
    for (const message of sent) socket.send(message);
    for (const message of sent) assert.deepEqual(await socket.next(), message);
    assert.deepEqual(await socket.close(1000, 'done'), { code: 1000, reason: 'done' });
  });

  it('carries a message of many megabytes, and closes on one past the limit', async () => {
    const socket = await openSocket(platform, 'echo', '/', { maxPayload: 64 * 1024 * 1024 });
    const large = Buffer.alloc(20 * 1024 * 1024, 'abcdefg');
    socket.send(large);
    const back = await socket.next();
    assert.ok(Buffer.isBuffer(back) && back.equals(large));
    socket.send(Buffer.alloc(32 * 1024 * 1024 + 1));
    assert.equal((await socket.closed).code, 1009);
  });

  it("answers with the Worker's choice of subprotocol and its headers", async () => {
    const socket = await openSocket(platform, 'echo', '/', { protocols: ['one', 'two'], perMessageDeflate: true });
    assert.equal(socket.ws.protocol, 'two');
    assert.equal(socket.ws.extensions, '');
    await socket.close();
  });

  it('closes with the code and the reason of the Worker, and without', async () => {
    const socket = await openSocket(platform, 'echo');
    socket.send('close');
    assert.deepEqual(await socket.closed, { code: 4001, reason: 'as you wish' });
    const bare = await openSocket(platform, 'echo');
    bare.send('bare');
    assert.deepEqual(await bare.closed, { code: 1005, reason: '' });
  });

  it('tells the Worker of a close, and records the invocation then', async () => {
    const socket = await openSocket(platform, 'echo');
    await socket.close(3333, 'bye');
    const record = JSON.parse(await platform.line(/closed 3333/)) as Record<string, unknown>;
    assert.equal(record['status'], 101);
    assert.equal(record['outcome'], 'ok');
    assert.match(JSON.stringify(record), /closed 3333 bye true 3/);
  });

  it('tells the Worker when its client vanishes', async () => {
    const socket = await openSocket(platform, 'echo');
    socket.ws.terminate();
    const record = JSON.parse(await platform.line(/closed 1006/)) as Record<string, unknown>;
    assert.equal(record['outcome'], 'canceled');
  });

  it('answers pings without the Worker', async () => {
    const socket = await openSocket(platform, 'echo');
    socket.ws.ping('are you there');
    const [data] = (await once(socket.ws, 'pong')) as [Buffer];
    assert.equal(data.toString(), 'are you there');
    await socket.close();
  });

  it('sends what was said before the answer, and keeps what comes before accept()', async () => {
    const early = await openSocket(platform, 'echo', '/early');
    assert.equal(await early.next(), 'before the answer');
    await early.close();
    const late = await openSocket(platform, 'echo', '/late');
    late.send('kept');
    assert.equal(await late.next(), 'kept');
    await late.close();
  });

  it('goes on after a listener has thrown, and reports it', async () => {
    const socket = await openSocket(platform, 'echo');
    socket.send('throw');
    socket.send('still here');
    assert.equal(await socket.next(), 'still here');
    await socket.close();
    assert.match(await platform.line(/thrown in a listener/), /"outcome":"ok"/);
  });

  it('gives each message a CPU budget of its own, and closes with 1011 when one is exceeded', async () => {
    const socket = await openSocket(platform, 'echo');
    for (let i = 0; i < 30; i++) {
      socket.send('work');
      assert.equal(await socket.next(), 'worked');
    }
    const other = await openSocket(platform, 'echo');
    socket.send('spin');
    assert.equal((await socket.closed).code, 1011);
    assert.equal((await other.closed).code, 1012);
    const again = await openSocket(platform, 'echo');
    await again.close();
  });

  it('answers like any other when the Worker refuses', async () => {
    await assert.rejects(openSocket(platform, 'echo', '/refused'), /403/);
    await assert.rejects(openSocket(platform, 'nobody'), /404/);
  });

  it('answers 400 to a handshake that is none, and 101 never without being asked', async () => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket' };
    assert.equal((await platform.request('echo', '/', { headers })).status, 400);
    assert.equal((await platform.request('echo', '/')).text, 'plain');
  });

  it('closes with 1012 when the Worker is replaced', async () => {
    await deployCode(platform, 'replaced', ECHO);
    const socket = await openSocket(platform, 'replaced');
    await deployCode(platform, 'replaced', `${ECHO}\n// again`);
    assert.equal((await socket.closed).code, 1012);
  });

  it('closes with 1011 when its client takes nothing, and others go on', async () => {
    const stuck = await openSocket(platform, 'echo');
    const other = await openSocket(platform, 'echo');
    stuck.ws.pause();
    stuck.send('flood');
    for (const message of ['one', 'two', 'three']) {
      other.send(message);
      assert.equal(await other.next(), message);
    }
    stuck.ws.resume();
    assert.equal((await stuck.closed).code, 1011);
    await other.close();
  });

  it('takes a flood of small messages in order', async () => {
    const socket = await openSocket(platform, 'echo');
    for (let i = 0; i < 20_000; i++) socket.send(String(i));
    for (let i = 0; i < 20_000; i++) assert.equal(await socket.next(), String(i));
    await socket.close();
  });

  it('lets go of one that the Worker never accepts', async () => {
    const socket = await openSocket(platform, 'echo', '/deaf?never');
    socket.send('into the void');
    await socket.close(1000);
    assert.match(await platform.line(/deaf\?never/), /"outcome":"ok"/);
  });

  it('works on when the Worker replaces the built-ins it is made of', async () => {
    await deployCode(platform, 'patched', ECHO);
    const socket = await openSocket(platform, 'patched');
    socket.send('patch');
    assert.equal(await socket.next(), 'patched');
    socket.send('after');
    assert.equal(await socket.next(), 'after');
    assert.equal((await socket.close(1000)).code, 1000);
  });

  it('holds a thousand at once', async () => {
    const sockets = await Promise.all(Array.from({ length: 1_000 }, () => openSocket(platform, 'echo')));
    for (const [index, socket] of sockets.entries()) socket.send(String(index));
    for (const [index, socket] of sockets.entries()) assert.equal(await socket.next(), String(index));
    await Promise.all(sockets.map((socket) => socket.close(1000)));
  });
});

describe('a platform that stops', () => {
  it('closes with 1001', async () => {
    const platform = await startTestPlatform();
    await deployCode(platform, 'echo', ECHO);
    const socket = await openSocket(platform, 'echo');
    const stopped = platform.stop();
    assert.equal((await socket.closed).code, 1001);
    await stopped;
  });
});
