import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('examples/proxy', () => {
  let upstream: Server;
  let origin: string;
  let platform: TestPlatform;
  before(async () => {
    upstream = createServer((request, response) => {
      const path = request.url ?? '/';
      if (path.startsWith('/api')) {
        response.writeHead(200, { 'content-type': 'application/json', etag: '"1"' });
        response.end(JSON.stringify({ path, user: { name: 'Ada', token: 'abc' } }));
      } else if (path === '/moved') {
        response.writeHead(302, { location: '/elsewhere' }).end();
      } else if (path === '/echo') {
        response.writeHead(200, { 'content-type': 'application/octet-stream', 'x-method': request.method });
        request.pipe(response);
      } else {
        response.writeHead(201, { 'content-type': 'text/html', 'set-cookie': ['a=1', 'b=2'] });
        response.end(`<html><body class="x"><a href="${origin}/next">next</a></body></html>`);
      }
    });
    upstream.listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    platform = await startTestPlatform(['--allow-private-egress']);
    await platform.deploy('examples/proxy', ['--var', `UPSTREAM:${origin}`]);
  });
  after(async () => {
    upstream.close();
    upstream.closeAllConnections();
    await platform.stop();
  });

  it('rewrites links in HTML and keeps status and cookies', async () => {
    const { status, headers, text } = await platform.request('proxy', '/');
    assert.equal(status, 201);
    assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2']);
    assert.doesNotMatch(text, new RegExp(RegExp.escape(origin)));
    assert.match(text, /href="http:\/\/proxy\.main\.localhost(:\d+)?\/next"/);
    assert.match(text, /<body class="x"><p role="note">/);
  });

  it('takes secrets out of JSON and keeps the query', async () => {
    const { headers, text } = await platform.request('proxy', '/api/me?x=1');
    assert.deepEqual(JSON.parse(text), { path: '/api/me?x=1', user: { name: 'Ada', token: '***' } });
    assert.equal(headers.etag, undefined);
    assert.equal(headers['x-rewritten-by'], 'isola');
  });

  it('leaves redirects to the client', async () => {
    const { status, headers } = await platform.request('proxy', '/moved');
    assert.equal(status, 302);
    assert.equal(headers.location, '/elsewhere');
  });

  it('streams everything else through, both ways', async () => {
    const body = 'x'.repeat(300_000);
    const { status, headers, text } = await platform.request('proxy', '/echo', { method: 'PUT', body });
    assert.equal(status, 200);
    assert.equal(headers['x-method'], 'PUT');
    assert.equal(text, body);
  });
});
