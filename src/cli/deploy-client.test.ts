import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { BundledModule } from './bundle.ts';
import { deployWorker, type DeployTarget } from './deploy-client.ts';

describe('deployWorker()', () => {
  const calls: { method: string; url: string; type: string; authorization: string; body: Buffer }[] = [];
  let answer = { status: 200, body: '' };
  let server: Server;
  let target: DeployTarget;
  before(async () => {
    server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const { authorization = '', 'content-type': type = '' } = request.headers;
        calls.push({ method: request.method ?? '', url: request.url ?? '', type, authorization, body });
        response.writeHead(answer.status).end(answer.body);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    target = { controlUrl: `http://127.0.0.1:${port}`, account: 'main', token: 'secret' };
  });
  beforeEach(() => {
    calls.length = 0;
    answer = { status: 200, body: JSON.stringify({ success: true, result: { deployment_id: 'v1' } }) };
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  it('uploads as wrangler does, then turns the address on', async () => {
    const modules = new Map<string, BundledModule | string>([
      ['index.js', 'export default {}'],
      ['./ab-add.wasm', { kind: 'wasm', content: new Uint8Array([0, 97]) }],
    ]);
    assert.equal(await deployWorker(target, { name: 'hello', modules }), 'v1');

    assert.deepEqual(
      calls.map(({ method, url }) => `${method} ${url}`),
      [
        'PUT /client/v4/accounts/main/workers/scripts/hello',
        'POST /client/v4/accounts/main/workers/scripts/hello/subdomain',
      ],
    );
    const [upload] = calls;
    assert.equal(upload?.authorization, 'Bearer secret');
    const form = await new Response(upload?.body, { headers: { 'content-type': upload?.type ?? '' } }).formData();
    assert.equal((JSON.parse(form.get('metadata') as string) as { main_module: string }).main_module, 'index.js');
    const parts = ['index.js', './ab-add.wasm'].map((name) => form.get(name) as File);
    assert.deepEqual(
      parts.map(({ name, type }) => [name, type]),
      [
        ['index.js', 'application/javascript+module'],
        ['./ab-add.wasm', 'application/wasm'],
      ],
    );
  });

  it('sets cron triggers only where there are some', async () => {
    await deployWorker(target, { name: 'hello', modules: new Map(), crons: ['* * * * *'] });
    assert.match(calls.at(-1)?.url ?? '', /\/schedules$/);
    assert.equal(calls.at(-1)?.body.toString(), '[{"cron":"* * * * *"}]');
  });

  it("tells the platform's reason and code", async () => {
    answer = {
      status: 400,
      body: JSON.stringify({ success: false, result: null, errors: [{ code: 10021, message: 'does not parse' }] }),
    };
    await assert.rejects(deployWorker(target, { name: 'hello', modules: new Map() }), {
      message: 'Cannot deploy hello: does not parse [code 10021]',
    });
  });

  it('tells what answered when it is not the control API', async () => {
    answer = { status: 502, body: '<h1>Bad gateway</h1>' };
    await assert.rejects(deployWorker(target, { name: 'hello', modules: new Map() }), /answered 502: <h1>Bad gateway/);
  });
});
