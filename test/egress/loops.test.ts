import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type DnsServer, startDnsServer } from '../helpers/dns-server.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

// Fetches itself by way of the gateway, and does what it can to hide that. `x-target` is where the gateway listens.
const LOOPING = `let runs = 0;
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/runs') return Response.json(runs);
    runs++;
    const headers = new Headers(request.headers);
    for (const name of ['cdn-loop', 'via', 'connection']) headers.delete(name);
    if (pathname === '/service') {
      return env.PEER.fetch(new Request('http://peer/service-loop', { headers: { 'x-target': headers.get('x-target') } }));
    }
    const target = headers.get('x-target');
    if (pathname === '/web-socket') headers.set('upgrade', 'websocket');
    const path = pathname === '/service-loop' ? '/service' : pathname;
    return fetch(target + path, { headers });
  },
};`;

describe('A Worker that fetches itself', () => {
  let platform: TestPlatform;
  let dns: DnsServer;
  let target = '';
  before(async () => {
    dns = await startDnsServer(); // whether *.localhost resolves depends on the machine
    dns.addresses.set('looping.main.localhost', [['127.0.0.1']]);
    platform = await startTestPlatform(['--allow-private-egress', '--egress-dns-server', dns.address]);
    const peer = [{ type: 'service', name: 'PEER', service: 'looping' }];
    await deployCode(platform, 'looping', LOOPING);
    await deployCode(platform, 'looping', LOOPING, peer);
    target = `http://looping.${platform.account}.localhost:${new URL(platform.gatewayUrl).port}`;
  });
  after(async () => {
    await platform.stop();
    await dns[Symbol.asyncDispose]();
  });

  const runs = async (): Promise<number> => JSON.parse((await platform.request('looping', '/runs')).text) as number;

  for (const [path, expected] of [
    ['/http', 17],
    ['/web-socket', 17],
    ['/service', 34],
  ] as const) {
    it(`by ${path} is ended after 16 hops with a 508`, async () => {
      const before = await runs();
      const { status } = await platform.request('looping', path, { headers: { 'x-target': target } });
      assert.equal(status, 508);
      assert.equal((await runs()) - before, expected);
    });
  }

  it('is not mistaken for one that is asked by way of other CDNs', async () => {
    const answer = await platform.request('looping', '/runs', {
      headers: { 'cdn-loop': 'other, isola; hop=1, foo; isola' },
    });
    assert.equal(answer.status, 200);
    const looped = await platform.request('looping', '/runs', {
      headers: { 'cdn-loop': Array.from({ length: 17 }, () => 'isola').join(',') },
    });
    assert.equal(looped.status, 508);
  });
});
