import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Runtime } from './runtime.ts';

const BODY = 'x'.repeat(100_000);

describe('fetch() with integrity', () => {
  const server = createServer((_, response) => void response.end(BODY));
  let runtime: Runtime;
  before(async () => {
    runtime = await Runtime.create({ allowPrivateEgress: true });
    await runtime.deploy('worker', {
      modules: {
        'index.js': `export default { async fetch(request) {
          const { url, integrity } = await request.json();
          try { return new Response((await (await fetch(url, { integrity })).text()).length) }
          catch (error) { return new Response(error.name) }
        } }`,
      },
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(async () => {
    server.close();
    await runtime.close();
  });

  const digest = (algorithm: string, text = BODY): string =>
    `${algorithm}-${createHash(algorithm).update(text).digest('base64')}`;
  const right = digest('sha256');
  const wrong = digest('sha512', 'something else');

  for (const [integrity, answer] of [
    [right, '100000'],
    [digest('sha384').replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''), '100000'],
    ['md5-abc nonsense', '100000'],
    [`${digest('sha256', 'other')} ${right}?ct=text`, '100000'],
    [wrong, 'TypeError'],
    [`${right} ${wrong}`, 'TypeError'],
  ] as const) {
    it(`${answer === 'TypeError' ? 'refuses' : 'hands out'} a body for '${integrity}'`, async () => {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const body = JSON.stringify({ url, integrity });
      const response = await runtime.fetch('worker', new Request('http://worker.example/', { method: 'POST', body }));
      assert.equal(await response.text(), answer);
    });
  }
});
