import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type DnsServer, startDnsServer } from '../helpers/dns-server.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

// Fetches what it is told to, and tells what came of it.
const FETCHER = `export default {
  async fetch(request) {
    const { url, ...init } = await request.json();
    try {
      const { status } = await fetch(url, { ...init, signal: AbortSignal.timeout(init.timeoutMs ?? 5_000) });
      return new Response('answered ' + status);
    } catch (error) {
      return new Response(error.message, { status: 599 });
    }
  },
};`;

const PRIVATE = /^private address refused/;

/** What leads to the platform's own network, spelt in all the ways that are known. PORT is the victim's. */
const HOSTILE: readonly (readonly [url: string, message: RegExp])[] = [
  // Loopback.
  ['http://127.0.0.1:PORT/', PRIVATE],
  ['http://127.0.0.1.:PORT/', PRIVATE],
  ['http://127.1:PORT/', PRIVATE],
  ['http://127.0.1:PORT/', PRIVATE],
  ['http://2130706433:PORT/', PRIVATE],
  ['http://0x7f000001:PORT/', PRIVATE],
  ['http://0X7F.0x0.0x0.0x1:PORT/', PRIVATE],
  ['http://0177.0.0.1:PORT/', PRIVATE],
  ['http://017700000001:PORT/', PRIVATE],
  ['http://0x7f.0.1:PORT/', PRIVATE],
  ['http://127.255.255.254:PORT/', PRIVATE],
  ['http://%31%32%37.0.0.1:PORT/', PRIVATE],
  ['http://１２７.０.０.１:PORT/', PRIVATE],
  ['http://①②⑦.⓪.⓪.①:PORT/', PRIVATE],
  ['http://127。0。0。1:PORT/', PRIVATE],
  ['http:127.0.0.1:PORT/', PRIVATE],
  ['http:\\\\127.0.0.1:PORT\\', PRIVATE],
  ['\thttp://127.0.0.1:PORT/', PRIVATE],
  ['ht\ntp://127.0.0.1:PORT/', PRIVATE],
  ['https://127.0.0.1:PORT/', PRIVATE],
  ['http://00000000177.0.0.01:PORT/', PRIVATE],
  ['http://127.0.0x0.1:PORT/', PRIVATE],
  ['http://127．0．0．1:PORT/', PRIVATE],
  ['http://127｡0｡0｡1:PORT/', PRIVATE],
  ['http://127%2E0%2E0%2E1:PORT/', PRIVATE],
  ['http://0x7f．1:PORT/', PRIVATE],
  ['http://127.0.0.1:PORT#@example.com/', PRIVATE],
  ['http://127.0.0.1:PORT?@example.com/', PRIVATE],
  ['http://127.0.0.1:PORT\\@example.com/', PRIVATE],
  ['http://127.0.0.1:00PORT/', PRIVATE],
  ['http://[::1]:PORT/', PRIVATE],
  ['http://[0:0:0:0:0:0:0:1]:PORT/', PRIVATE],
  // This machine by other names.
  ['http://0.0.0.0:PORT/', PRIVATE],
  ['http://0:PORT/', PRIVATE],
  ['http://0x0:PORT/', PRIVATE],
  ['http://[::]:PORT/', PRIVATE],
  ['http://localhost:PORT/', PRIVATE],
  ['http://LOCALHOST.:PORT/', PRIVATE],
  ['http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/', PRIVATE],
  ['http://loc\u00adalhost:PORT/', PRIVATE],
  ['http://localhost。:PORT/', PRIVATE],
  ['http://hello.main.localhost:PORT/', PRIVATE],
  // IPv4 inside IPv6.
  ['http://[::ffff:127.0.0.1]:PORT/', PRIVATE],
  ['http://[::ffff:7f00:1]:PORT/', PRIVATE],
  ['http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/', PRIVATE],
  ['http://[::127.0.0.1]:PORT/', PRIVATE],
  ['http://[::ffff:0:127.0.0.1]:PORT/', PRIVATE],
  ['http://[::ffff:c0a8:101]/', PRIVATE],
  ['http://[::ffff:0:0]:PORT/', PRIVATE],
  ['http://[64:ff9b::127.0.0.1]:PORT/', PRIVATE],
  ['http://[64:ff9b::c0a8:101]/', PRIVATE],
  ['http://[64:ff9b::a9fe:a9fe]/', PRIVATE],
  ['http://[64:ff9b:1::10.0.0.1]/', PRIVATE],
  ['http://[2002:7f00:1::]:PORT/', PRIVATE],
  ['http://[2002:a9fe:a9fe::]/', PRIVATE],
  ['http://[2002:c0a8:101::1]/', PRIVATE],
  ['http://[2001:0:7f00:1::]:PORT/', PRIVATE],
  ['http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/', PRIVATE],
  ['http://[fe80::5efe:127.0.0.1]:PORT/', PRIVATE],
  // Private, link-local, shared.
  ['http://10.0.0.1/', PRIVATE],
  ['http://012.0.0.1/', PRIVATE],
  ['http://167772161/', PRIVATE],
  ['http://172.16.0.1/', PRIVATE],
  ['http://172.31.255.255/', PRIVATE],
  ['http://192.168.1.1/', PRIVATE],
  ['http://0xc0a80101/', PRIVATE],
  ['http://100.64.0.1/', PRIVATE],
  ['http://[fc00::1]/', PRIVATE],
  ['http://[fd12:3456::1]/', PRIVATE],
  ['http://[fe80::1]/', PRIVATE],
  ['http://[fec0::1]/', PRIVATE],
  // Metadata services.
  ['http://169.254.169.254/latest/meta-data/', PRIVATE],
  ['http://2852039166/', PRIVATE],
  ['http://0xa9fea9fe/', PRIVATE],
  ['http://0251.0376.0251.0376/', PRIVATE],
  ['http://[::ffff:169.254.169.254]/', PRIVATE],
  ['http://[fd00:ec2::254]/', PRIVATE],
  ['http://100.100.100.200/', PRIVATE],
  ['http://192.0.0.192/', PRIVATE],
  ['http://168.63.129.16/', PRIVATE],
  ['http://metadata.google.internal/', PRIVATE],
  // Multicast, broadcast, reserved, documentation, benchmarks.
  ['http://224.0.0.1/', PRIVATE],
  ['http://239.255.255.250/', PRIVATE],
  ['http://255.255.255.255/', PRIVATE],
  ['http://240.0.0.1/', PRIVATE],
  ['http://192.0.2.1/', PRIVATE],
  ['http://198.18.0.1/', PRIVATE],
  ['http://198.51.100.1/', PRIVATE],
  ['http://203.0.113.1/', PRIVATE],
  ['http://192.88.99.1/', PRIVATE],
  ['http://[ff02::1]/', PRIVATE],
  ['http://[ff05::1:3]/', PRIVATE],
  ['http://[2001:db8::1]/', PRIVATE],
  ['http://[3fff::1]/', PRIVATE],
  ['http://[100::1]/', PRIVATE],
  ['http://[5f00::1]/', PRIVATE],
  // Names that lead there.
  ['http://private.test:PORT/', PRIVATE],
  ['http://PRIVATE.test.:PORT/', PRIVATE],
  ['http://several-private.test:PORT/', PRIVATE],
  ['http://metadata.test/', PRIVATE],
  // What is no fetch at all.
  ['file:///etc/passwd', /scheme|Fetch API cannot load|unsupported|supported/i],
  ['ftp://127.0.0.1/', /scheme|supported/i],
  ['gopher://127.0.0.1:PORT/_x', /scheme|supported/i],
  ['unix:/var/run/docker.sock', /scheme|supported/i],
  ['http://unix:/var/run/docker.sock:/info', /./],
  ['http://127.0.0.1:25/', /port|private/i],
  ['http://private.test:22/', /port|private/i],
  ['http://private.test:6000/', /port|private/i],
  ['http://127.0.0.1:0/', /port|private/i],
  ['http://127.0.0.1:99999/', /invalid|parse|URL/i],
  ['http://127.0.0.1:80:PORT/', /invalid|parse|URL/i],
  ['http://example.com:80@127.0.0.1:PORT/', /credentials/],
  ['http://example.com@127.0.0.1:PORT/', /credentials/],
  ['http://@127.0.0.1:PORT/', PRIVATE],
  ['http://user:pw@127.0.0.1:PORT/', /credentials/],
  ['http://127.0.0.1%00.example.com/', /invalid|parse|URL/i],
  ['http://127.0.0.1\u0000@example.com/', /invalid|parse|URL|credentials/i],
  ['http://[fe80::1%25lo]:PORT/', /invalid|parse|URL/i],
  ['http://[fe80::1%lo]:PORT/', /invalid|parse|URL/i],
  ['http://[::1%25lo]:PORT/', /invalid|parse|URL/i],
  ['http://127.0.0.1../', /Name not resolved/],
  ['http://127.0.0.0.1/', /invalid|parse|URL/i],
  ['http://0x100000000/', /invalid|parse|URL/i],
  ['http://0189.0.0.1/', /invalid|parse|URL/i],
  ['http://[::ffff:127.1]/', /invalid|parse|URL/i],
  ['http://[127.0.0.1]/', /invalid|parse|URL/i],
  ['http://256.0.0.1/', /invalid|parse|URL/i],
  ['http://[::1/', /invalid|parse|URL/i],
  ['http://', /invalid|parse|URL/i],
];

describe('Fetches of a Worker that are aimed at the platform’s own network', () => {
  let platform: TestPlatform;
  let dns: DnsServer;
  const victims: Server[] = [];
  let port = 0;
  let visits = 0;

  before(async () => {
    dns = await startDnsServer();
    for (const [name, ...answers] of [
      ['localhost', ['127.0.0.1']],
      ['hello.main.localhost', ['127.0.0.1']],
      ['private.test', ['127.0.0.1']],
      ['several-private.test', ['127.0.0.1', '10.0.0.1', '192.168.0.1']],
      ['metadata.test', ['169.254.169.254']],
      ['metadata.google.internal', ['169.254.169.254']],
      ['rebind.test', ['192.31.196.1'], ['127.0.0.1']],
      ['mixed.test', ['127.0.0.1', '192.31.196.1']],
    ] as const) {
      dns.addresses.set(
        name,
        answers.map((addresses) => [...addresses]),
      );
    }
    for (const host of ['127.0.0.1', '::1']) {
      const victim = createServer((_request, response) => response.end('secret'));
      victim.on('connection', () => visits++);
      victim.on('error', () => {}); // a machine without IPv6 has one victim less
      victim.listen({ port, host });
      // oxlint-disable-next-line no-await-in-loop -- the second takes the port of the first
      await once(victim, 'listening').catch(() => {});
      if (victim.listening) ({ port } = victim.address() as AddressInfo);
      victims.push(victim);
    }
    platform = await startTestPlatform(['--egress-ports', 'any', '--egress-dns-server', dns.address]);
    await deployCode(platform, 'fetcher', FETCHER);
  });
  after(async () => {
    await platform.stop();
    await dns[Symbol.asyncDispose]();
    for (const victim of victims) victim.close();
  });

  const tryFetch = async (url: string, init: object = {}): Promise<{ status: number; text: string }> => {
    const body = JSON.stringify({ url: url.replaceAll('PORT', String(port)), ...init });
    return platform.request('fetcher', '/', { method: 'POST', body });
  };

  for (const [url, message] of HOSTILE) {
    it(`reach nothing: ${JSON.stringify(url)}`, async () => {
      const { status, text } = await tryFetch(url);
      assert.equal(status, 599, text);
      assert.match(text, message);
      assert.equal(visits, 0);
    });
  }

  it('reach nothing by a name that is bound anew between two fetches, nor by one with a public address as well', async () => {
    // What stands at the public address does not matter, only that nobody was sent elsewhere.
    await tryFetch('http://rebind.test:PORT/', { timeoutMs: 100 });
    assert.match((await tryFetch('http://rebind.test:PORT/')).text, /rebind\.test resolves to 127\.0\.0\.1/);
    await tryFetch('http://mixed.test:PORT/', { timeoutMs: 100 });
    assert.equal(visits, 0);
    assert.ok(dns.asked.filter((name) => name === 'rebind.test').length >= 2);
  });

  it('reach nothing by a WebSocket', async () => {
    const headers = { upgrade: 'websocket' };
    for (const host of ['127.0.0.1', '[::ffff:7f00:1]', 'private.test', '0x7f.1']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.match((await tryFetch(`http://${host}:PORT/`, { headers })).text, PRIVATE);
    }
    assert.equal(visits, 0);
  });
});
