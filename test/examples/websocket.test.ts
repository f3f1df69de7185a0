import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { openSocket, type TestSocket } from '../helpers/web-socket.ts';

describe('examples/websocket', () => {
  let platform: TestPlatform;
  const hear = async (socket: TestSocket): Promise<unknown> => JSON.parse(String(await socket.next()));
  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    await platform.deploy('examples/websocket');
  });
  after(() => platform.stop());

  it('tells everybody in the room who comes, says something, and leaves', async () => {
    const ada = await openSocket(platform, 'websocket', '/ws?name=Ada');
    assert.deepEqual(await hear(ada), { here: ['Ada'] });
    const bob = await openSocket(platform, 'websocket', '/ws?name=Bob');
    assert.deepEqual(await hear(bob), { here: ['Ada', 'Bob'] });
    assert.deepEqual(await hear(ada), { joined: 'Bob' });
    bob.send('Good evening');
    for (const socket of [ada, bob]) assert.deepEqual(await hear(socket), { from: 'Bob', text: 'Good evening' });
    bob.ws.terminate();
    assert.deepEqual(await hear(ada), { left: 'Bob' });
    ada.send(Buffer.from('bytes'));
    assert.deepEqual(await ada.closed, { code: 1003, reason: 'text only' });
  });

  it('echoes at /echo', async () => {
    const socket = await openSocket(platform, 'websocket', '/echo');
    socket.send('hello');
    assert.equal(await socket.next(), 'hello');
    socket.send(Buffer.from([1, 2, 3]));
    assert.deepEqual(await socket.next(), Buffer.from([1, 2, 3]));
    await socket.close();
  });

  it('serves a page, and 426 to a request without an upgrade', async () => {
    assert.match((await platform.request('websocket', '/')).text, /<title>Chat<\/title>/);
    const { status, headers } = await platform.request('websocket', '/ws');
    assert.equal(status, 426);
    assert.equal(headers['upgrade'], undefined);
  });
});
