import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { get, MALFORMED } from '../../src/gateway/testing-malformed.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

// Counts what enters it, and remembers how the last body ended.
const COUNTER = `let runs = 0, last = 'none';
export default {
  async fetch(request) {
    if (new URL(request.url).pathname === '/told') return Response.json({ runs, last });
    runs++;
    try { last = 'read ' + await request.text(); } catch { last = 'failed'; }
    return new Response('reached');
  },
};`;

describe('A platform that is sent what is no HTTP', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await deployCode(platform, 'counter', COUNTER);
  });
  after(() => platform.stop());

  const told = async (): Promise<unknown> => JSON.parse((await platform.request('counter', '/told')).text);
  /** Asks again until the answer is this. */
  const until = async (expected: object): Promise<void> => {
    while (!isDeepStrictEqual(await told(), expected));
  };
  const open = (): Socket => {
    const { hostname, port } = new URL(platform.gatewayUrl);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    return socket;
  };
  const toCounter = (request: string): string =>
    request.replaceAll('hello.acme.localhost', `counter.${platform.account}.localhost`);

  it(`enters no Worker for any of ${MALFORMED.length} malformed requests, nor for what stands behind them`, async () => {
    for (const [what, status, request] of MALFORMED) {
      for (const sent of [request, request + get('', '/behind')]) {
        const socket = open();
        socket.write(toCounter(sent), 'latin1');
        // oxlint-disable-next-line no-await-in-loop -- so that one that reaches the Worker is known
        const answer = await text(socket);
        assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
        assert.equal(answer.split('HTTP/1.1 ').length, 2, what);
        // oxlint-disable-next-line no-await-in-loop -- as above
        assert.deepEqual(await told(), { runs: 0, last: 'none' }, what);
      }
    }
  });

  it('gives a Worker an error for a body that turns out to be malformed while it reads', async () => {
    const socket = open();
    socket.write(
      toCounter('POST / HTTP/1.1\r\nHost: hello.acme.localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n'),
    );
    const answer = text(socket);
    await until({ runs: 1, last: 'none' });
    socket.write(`zz\r\n${toCounter(get('', '/behind'))}`);
    assert.match(await answer, /^HTTP\/1\.1 400 /);
    await until({ runs: 1, last: 'failed' });
  });
});
