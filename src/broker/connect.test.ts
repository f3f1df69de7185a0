import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createEgress, isPublicAddress } from './index.ts';
import type { ResolvedAddress } from './connect.ts';
import { ALL_PORTS } from './ports.ts';
import { echo, get, never, refusal, serve, text } from './testing.ts';

const guarded = createEgress({ allowPrivate: false, ports: ALL_PORTS });
after(() => guarded.close());

describe('Egress.fetch() without allowPrivate', () => {
  for (const host of [
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '2130706433',
    '0x7f.1',
    '0',
    '169.254.169.254',
    '10.0.0.1',
  ]) {
    it(`refuses the literal ${host}`, async () => {
      await assert.rejects(
        guarded.fetch(get(`http://${host}:8080/`), never),
        refusal(/^private address refused: fetch to .* is /),
      );
      await assert.rejects(guarded.fetch(get(`https://${host}:8443/`), never), refusal(/^private address refused/));
    });
  }

  it('refuses a name that resolves to a private address, and says which', async () => {
    const url = await serve(echo);
    const { port } = new URL(url);
    await assert.rejects(
      guarded.fetch(get(`http://localhost:${port}/`), never),
      refusal(
        /^private address refused: fetch to localhost resolves to (127\.0\.0\.1|::1), which this platform does not allow$/,
      ),
    );
  });

  it('asks for the name once per connection, so that an answer cannot change after the check', async () => {
    const answers = ['127.0.0.1', '192.168.0.1'];
    let asked = 0;
    const rebound = createEgress({
      allowPrivate: false,
      resolve: async () => [{ address: answers[asked++] ?? '::1', family: 4 }],
    });
    await assert.rejects(rebound.fetch(get('http://rebind.test/'), never), refusal(/resolves to 127\.0\.0\.1/));
    await assert.rejects(rebound.fetch(get('http://rebind.test/'), never), refusal(/resolves to 192\.168\.0\.1/));
    assert.equal(asked, 2);
    await rebound.close();
  });

  it('refuses a name of which no address is public', async () => {
    const mixed = createEgress({
      allowPrivate: false,
      resolve: async () => [
        { address: '::1', family: 6 },
        { address: '192.0.2.1', family: 4 },
      ],
    });
    await assert.rejects(mixed.fetch(get('http://mixed.test/'), never), refusal(/resolves to ::1/));
    await mixed.close();
  });
});

describe('Egress.fetch() where 127.0.0.1 stands for the public internet', () => {
  const at = (...addresses: string[]): ResolvedAddress[] =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  /** `answers`: of each name one list an answer, the last one again and again. */
  const createInternet = (answers: Record<string, string[][]> = {}) =>
    createEgress({
      allowPrivate: false,
      isAllowed: (address) => address === '127.0.0.1' || isPublicAddress(address),
      ports: ALL_PORTS,
      resolve: async (name) =>
        at(...((answers[name]?.length ?? 0) > 1 ? answers[name]!.shift()! : (answers[name]?.[0] ?? []))),
    });

  for (const target of [
    'http://127.0.0.2/',
    'http://[::1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://0x7f000002/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    '//10.0.0.1/',
    'http://inside.test/',
  ]) {
    it(`does not follow a redirect to ${target}`, async () => {
      await using internet = createInternet({ 'inside.test': [['10.0.0.1']] });
      const url = await serve((_request, response) => response.writeHead(302, { location: target }).end());
      await assert.rejects(internet.fetch(get(url), never), refusal(/^private address refused/));
    });
  }

  for (const [location, message] of [
    ['file:///etc/passwd', /scheme is file/],
    ['http://127.0.0.1:25/', /port 25 is blocked/],
    ['http://user:pw@127.0.0.1/', /credentials/],
    ['http://denied.test/', /may not reach denied\.test/],
  ] as const) {
    it(`does not follow a redirect to ${location}`, async () => {
      await using internet = createInternet({ 'denied.test': [['127.0.0.1']] });
      const url = await serve((_request, response) => response.writeHead(307, { location }).end());
      const hosts = { deny: ['denied.test'] };
      await assert.rejects(internet.fetch(get(url, { hosts }), never), refusal(message));
    });
  }

  it('holds on to the address that was checked: a name that is bound anew goes nowhere else', async () => {
    await using internet = createInternet({ 'rebind.test': [['127.0.0.1'], ['127.0.0.2'], ['::1', '10.0.0.1']] });
    const url = await serve((_request, response) => response.writeHead(200, { connection: 'close' }).end('public'));
    const { port } = new URL(url);
    assert.equal(await text(await internet.fetch(get(`http://rebind.test:${port}/`), never)), 'public');
    const again = () => internet.fetch(get(`http://rebind.test:${port}/`), never);
    await assert.rejects(again(), refusal(/rebind\.test resolves to 127\.0\.0\.2/));
    await assert.rejects(again(), refusal(/rebind\.test resolves to ::1/));
  });

  it('tries only the public ones of several addresses', async () => {
    await using internet = createInternet({ 'mixed.test': [['10.0.0.1', '127.0.0.1', '::1']] });
    const url = await serve((_request, response) => response.end('public'));
    const mixed = `http://mixed.test:${new URL(url).port}/`;
    assert.equal(await text(await internet.fetch(get(mixed), never)), 'public');
  });

  it('rebinds nothing for a WebSocket either', async () => {
    await using internet = createInternet({ 'rebind.test': [['127.0.0.2']] });
    const request = get('http://rebind.test/', { headers: ['upgrade', 'websocket'] });
    await assert.rejects(internet.fetch(request, never), refusal(/resolves to 127\.0\.0\.2/));
    const literal = get('http://[::1]/', { headers: ['upgrade', 'websocket'] });
    await assert.rejects(internet.fetch(literal, never), refusal(/is ::1/));
  });
});
