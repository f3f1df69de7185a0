import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type Runtime } from '../index.ts';

/** Notes what happens to an EventSource, up to so many events, and closes it. */
const LISTENER = `
export default {
  async fetch(request) {
    const { searchParams } = new URL(request.url);
    const source = new EventSource(searchParams.get('url'));
    const seen = [source.readyState];
    const count = Number(searchParams.get('count'));
    await new Promise((resolve) => {
      const note = (event) => {
        seen.push([event.type, source.readyState, event.data, event.lastEventId].filter((value) => value !== undefined));
        if (seen.length <= count) return;
        source.close();
        resolve();
      };
      for (const type of ['open', 'message', 'error', 'named']) source.addEventListener(type, note);
    });
    seen.push(source.readyState);
    return Response.json(seen);
  },
};`;

describe('EventSource', () => {
  let runtime: Runtime;
  const servers: Server[] = [];
  const serve = async (handler: RequestListener): Promise<string> => {
    const server = createServer(handler);
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  };
  const listen = async (url: string, count: number): Promise<unknown> => {
    const address = new URL(`http://listener/?count=${count}`);
    address.searchParams.set('url', url);
    return (await runtime.fetch('listener', new Request(address))).json();
  };
  before(async () => {
    runtime = await createRuntime({ allowPrivateEgress: true });
    await runtime.deploy('listener', { modules: { 'index.js': LISTENER } });
  });
  after(async () => {
    for (const server of servers) server.closeAllConnections();
    await runtime.close();
    for (const server of servers) server.close();
  });

  it('dispatches events of a stream that comes in pieces, whatever ends its lines', async () => {
    const pieces = [
      '\ufeffda',
      'ta: o',
      'ne\r',
      '\n',
      'data:two\r\r',
      ': comment\nevent: named\nid: 7\ndata\n',
      '\ndata: last\n\n',
    ];
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
      const next = (): void => {
        const piece = pieces.shift();
        if (piece !== undefined) response.write(piece, () => setImmediate(next));
      };
      next();
    });
    assert.deepEqual(await listen(url, 4), [
      0,
      ['open', 1],
      ['message', 1, 'one\ntwo', ''],
      ['named', 1, '', '7'],
      ['message', 1, 'last', '7'],
      2,
    ]);
  });

  it('connects again when the stream ends, from the last event on', async () => {
    const ids: unknown[] = [];
    const url = await serve((request, response) => {
      ids.push(request.headers['last-event-id'], request.headers.accept);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`retry: 1\nid: \u2026${ids.length}\ndata: x\n\ndata: unfinished`);
    });
    assert.deepEqual(await listen(url, 5), [
      0,
      ['open', 1],
      ['message', 1, 'x', '\u20262'],
      ['error', 0],
      ['open', 1],
      ['message', 1, 'x', '\u20264'],
      2,
    ]);
    const second = Buffer.from(String(ids[2]), 'latin1').toString();
    assert.deepEqual([ids[0], ids[1], second], [undefined, 'text/event-stream', '\u20262']);
  });

  it('fails for good at another status or type', async () => {
    const notFound = await serve((_, response) =>
      response.writeHead(404, { 'content-type': 'text/event-stream' }).end(),
    );
    const html = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('data: x\n\n'),
    );
    for (const url of [notFound, html]) assert.deepEqual(await listen(url, 1), [0, ['error', 2], 2]);
  });
});
