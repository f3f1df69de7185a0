import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

// Answers with a body that begins and does not end, or at once.
const LASTING = `export default {
  fetch(request) {
    if (new URL(request.url).pathname === '/brief') return new Response('brief');
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    writer.write(new TextEncoder().encode('begun'));
    scheduler.wait(120_000).then(() => writer.close()); // without this it would be ended at once, since nothing could go on
    return new Response(readable);
  },
};`;

describe('A platform with limits for its clients and accounts', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform(['--address-connections', '4', '--account-requests', '2']);
    await deployCode(platform, 'lasting', LASTING);
  });
  after(() => platform.stop());

  const open = (): Socket => {
    const { hostname, port } = new URL(platform.gatewayUrl);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    return socket;
  };
  /** Asks again until the answer has this status. */
  const until = async (status: number): Promise<void> => {
    while ((await platform.request('lasting', '/brief')).status !== status);
  };

  it('turns away what one account has too much of, and takes it again when there is room', async () => {
    const two: IncomingMessage[] = [await platform.open('lasting', '/'), await platform.open('lasting', '/')];
    const refused = await platform.request('lasting', '/brief');
    assert.equal(refused.status, 503);
    assert.equal(refused.headers['retry-after'], '1');
    assert.match(refused.text, /Too many requests for this address/);
    for (const response of two) response.destroy();
    await until(200);
  });

  it('turns away a connection too many of one address', async () => {
    const four = [open(), open(), open(), open()];
    await Promise.all(four.map((socket) => once(socket, 'connect')));
    assert.match(await text(open()), /^HTTP\/1\.1 429 [^]*retry-after: 1\r\n/);
    for (const socket of four) socket.destroy();
    await until(200);
  });
});
