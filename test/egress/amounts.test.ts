import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { DEFAULT_LIMITS, MAX_OPEN_CONNECTIONS } from '../../src/limits.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

// Makes as many fetches as it is told to, all at once, and counts what came of them.
const EAGER = `export default {
  async fetch(request) {
    const url = new URL(request.url).searchParams;
    const all = Array.from({ length: Number(url.get('count')) }, (_, n) => fetch(url.get('to') + n).then((r) => r.text()));
    const settled = await Promise.allSettled(all);
    const reasons = settled.filter(({ status }) => status === 'rejected').map(({ reason }) => reason.message);
    return Response.json({ answered: settled.length - reasons.length, reasons: [...new Set(reasons)] });
  },
};`;

describe('The fetches of one invocation', () => {
  let platform: TestPlatform;
  let origin: Server;
  let to = '';
  const waiting: ServerResponse[] = [];
  let came = 0;
  before(async () => {
    origin = createServer((_request, response) => {
      came++;
      waiting.push(response);
      origin.emit('came');
    });
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    to = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`;
    platform = await startTestPlatform(['--allow-private-egress']);
    await deployCode(platform, 'eager', EAGER);
  });
  after(async () => {
    await platform.stop();
    origin.close();
  });

  const ask = (count: number, query = ''): Promise<{ text: string }> =>
    platform.request('eager', `/?count=${count}&to=${to}${query}`);
  const until = async (count: number): Promise<void> => {
    while (waiting.length < count) await once(origin, 'came');
  };

  it(`wait for headers ${MAX_OPEN_CONNECTIONS} at a time, and are ${DEFAULT_LIMITS.subrequests} at most`, async () => {
    const answer = ask(DEFAULT_LIMITS.subrequests + 5);
    let most = 0;
    while (came < DEFAULT_LIMITS.subrequests || waiting.length > 0) {
      const due = Math.min(MAX_OPEN_CONNECTIONS, DEFAULT_LIMITS.subrequests - came + waiting.length);
      // oxlint-disable-next-line no-await-in-loop -- one answered, one more comes
      await until(due);
      most = Math.max(most, waiting.length);
      waiting.shift()?.end('ok');
    }
    const { answered, reasons } = JSON.parse((await answer).text) as { answered: number; reasons: string[] };
    assert.equal(most, MAX_OPEN_CONNECTIONS);
    assert.equal(answered, DEFAULT_LIMITS.subrequests);
    assert.equal(came, DEFAULT_LIMITS.subrequests);
    assert.deepEqual(reasons, [`Too many subrequests: an invocation may make ${DEFAULT_LIMITS.subrequests}`]);
  });

  it('do not count for another invocation of the same Worker', async () => {
    const two = [ask(MAX_OPEN_CONNECTIONS), ask(MAX_OPEN_CONNECTIONS)];
    await until(2 * MAX_OPEN_CONNECTIONS);
    for (const response of waiting.splice(0)) response.end('ok');
    for (const { text } of await Promise.all(two)) assert.match(text, /"answered":6/);
  });
});
