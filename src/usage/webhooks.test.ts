import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { OWNER } from './testing.ts';
import { Webhooks } from './webhooks.ts';

const { account } = OWNER;
const NOW = 1_800_000_000_000;

describe('Webhooks', () => {
  it('sign what they send, and send it again until it is taken', async () => {
    await using server = await listen([500, 302, 200]);
    using webhooks = open();
    webhooks.send({ account, url: server.url, id: 'event 1', body: { percent: 80 } });
    const [first, , third] = await server.received(3);
    assert.deepEqual(JSON.parse(third!.body), { id: 'event 1', percent: 80 });
    assert.equal(third!.body, first!.body);
    assert.equal(third!.headers['x-isola-event'], 'event 1');
    const signature = createHmac('sha256', webhooks.keyOf(account)).update(`1800000000.${third!.body}`).digest('hex');
    assert.equal(third!.headers['x-isola-signature'], `t=1800000000,v1=${signature}`);
  });

  it('tell the operator when it is never taken', async () => {
    await using server = await listen([]);
    const { promise, resolve } = Promise.withResolvers<string>();
    using webhooks = open(resolve);
    webhooks.send({ account, url: server.url, id: 'event 2', body: {} });
    const { promise: refused, resolve: resolveRefused } = Promise.withResolvers<string>();
    using nowhere = open(resolveRefused);
    nowhere.send({ account, url: 'http://127.0.0.1:1/', id: 'event 3', body: {} });
    assert.match(await promise, /^Cannot send the notice event 2 of a to .*: it answered 500$/);
    assert.match(await refused, /^Cannot send the notice event 3/);
    assert.equal((await server.received(11)).length, 11);
  });

  it('have a key for each account', () => {
    using webhooks = open();
    assert.match(webhooks.keyOf(account), /^[0-9a-f]{64}$/);
    assert.notEqual(webhooks.keyOf(account), webhooks.keyOf('b' as typeof account));
  });
});

function open(onFailure: (message: string) => void = (message) => assert.fail(message)): Webhooks {
  return new Webhooks({ key: Buffer.alloc(32, 1), onFailure, now: () => NOW, firstRetryMs: 0.1 });
}

/** Answers with these, in turn, and then with 500. */
async function listen(statuses: number[]) {
  const received: { headers: IncomingHttpHeaders; body: string }[] = [];
  const arrived = new EventTarget();
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      response.writeHead(statuses.shift() ?? 500, { location: '/elsewhere' }).end();
      received.push({ headers: request.headers, body });
      arrived.dispatchEvent(new Event('request'));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received: async (count: number) => {
      // oxlint-disable-next-line no-await-in-loop -- until so many are there
      while (received.length < count) await once(arrived, 'request');
      return received;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
