import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { WebSocket } from 'ws';
import { type Exchange, type ExchangeEvents, openLocalExchange } from '../channel/index.ts';
import { completeHandshake, WebSocketSession } from './index.ts';

/** What the other end of the exchange hears. */
interface Far {
  readonly exchange: Exchange;
  readonly reset: Promise<number>;
}

describe('WebSocketSession', () => {
  const server = createServer();
  let opened: { session: WebSocketSession; far: Far } | undefined;
  server.on('upgrade', (req, socket, head) => {
    const reset = Promise.withResolvers<number>();
    const far = Promise.withResolvers<Exchange>();
    const events: ExchangeEvents = {
      onResponse: () => {},
      onData: (chunk) => opened?.session.onData(chunk),
      onEnd: () => {},
      onReset: (code) => opened?.session.onReset(code),
    };
    const exchange = openLocalExchange(
      (answering) => {
        far.resolve(answering);
        return {
          onData: () => server.emit('heard'),
          onEnd: () => {},
          onReset: (code) => reset.resolve(code),
        };
      },
      '',
      undefined,
      { fin: false, events },
    );
    const ws = completeHandshake(req, { socket, head }, []);
    assert.ok(ws !== undefined);
    const session = new WebSocketSession(ws, socket, { exchange });
    void far.promise.then((answering) => {
      opened = { session, far: { exchange: answering, reset: reset.promise } };
      answering.respond(101, '', undefined, false);
      server.emit('session');
    });
  });
  const open = async (autoPong: boolean): Promise<{ client: WebSocket; session: WebSocketSession; far: Far }> => {
    const ready = once(server, 'session');
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong });
    await Promise.all([once(client, 'open'), ready]);
    assert.ok(opened !== undefined);
    return { client, ...opened };
  };
  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.close();
  });

  it('stays while its peer answers pings, and is cut when it does not', async () => {
    const lively = await open(true);
    lively.session.beat();
    await once(lively.client, 'ping');
    const heard = once(server, 'heard');
    lively.client.send('behind the answer');
    await heard;
    lively.session.beat();
    await once(lively.client, 'ping');
    lively.client.terminate();

    const dead = await open(false);
    dead.session.beat();
    await once(dead.client, 'ping');
    dead.session.beat();
    const [code] = (await once(dead.client, 'close')) as [number];
    assert.equal(code, 1006);
    assert.equal(await dead.far.reset, 1);
  });

  it('closes with 1011 on a cell that sends nonsense', async () => {
    const { client, far } = await open(true);
    far.exchange.write(Buffer.from([1, 2, 3, 4, 5, 6, 7]));
    const [code] = (await once(client, 'close')) as [number];
    assert.equal(code, 1011);
  });

  it('closes with 1011 where a cell asks for a code that may not be sent', async () => {
    const { client, far } = await open(true);
    far.exchange.write(Buffer.from([2, 0, 0, 0, 3, 0xe7, 0x03])); // 999
    const [code] = (await once(client, 'close')) as [number];
    assert.equal(code, 1011);
  });
});
