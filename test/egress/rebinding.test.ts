import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import { type DnsServer, startDnsServer } from '../helpers/dns-server.ts';
import { isInOwnNetwork, PUBLIC_ADDRESS, runInOwnNetwork, whyNoNetwork } from '../helpers/own-network.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

// Fetches what it is told to, one after the other, and tells what came of each.
const FETCHER = `export default {
  async fetch(request) {
    const answers = [];
    for (const { url, ...init } of await request.json()) {
      answers.push(await fetch(url, init).then((r) => r.text(), (error) => error.message));
    }
    return Response.json(answers);
  },
};`;

const REFUSED = /^private address refused/;

if (isInOwnNetwork) describeRebinding();
else {
  describe('Fetches where there are public addresses', () => {
    it('reach nothing private by rebinding or redirects', { skip: whyNoNetwork() }, async () => {
      assert.match(await runInOwnNetwork(import.meta.filename), /pass [1-9]/);
    });
  });
}

function describeRebinding(): void {
  describe('Fetches that a public server, or a name, leads to the platform’s own network', () => {
    let platform: TestPlatform;
    let dns: DnsServer;
    let port = 0;
    let visits = 0;
    const servers: Server[] = [];

    before(async () => {
      dns = await startDnsServer();
      const listen = async (host: string, answer: (req: IncomingMessage, res: ServerResponse) => void) => {
        const server = createServer(answer);
        server.listen({ port, host });
        await once(server, 'listening');
        ({ port } = server.address() as AddressInfo);
        servers.push(server);
        return server;
      };
      await listen(PUBLIC_ADDRESS, (req, res) => {
        const to = new URL(req.url ?? '', 'http://x').searchParams.get('to');
        const status = Number(req.headers['x-status'] ?? 302);
        // No connection is used again, so that each fetch looks the name up.
        if (to === null) res.writeHead(200, { connection: 'close' }).end('public');
        else res.writeHead(status, { location: to, connection: 'close' }).end();
      });
      const victim = await listen('127.0.0.1', (_req, res) => res.end('secret'));
      victim.on('connection', () => visits++);
      dns.addresses.set('public.test', [[PUBLIC_ADDRESS]]);
      dns.addresses.set('private.test', [['127.0.0.1']]);
      platform = await startTestPlatform(['--egress-ports', 'any', '--egress-dns-server', dns.address]);
      await deployCode(platform, 'fetcher', FETCHER);
    });
    after(async () => {
      // The platform last: where it has not started, the rest must not keep this process.
      for (const server of servers) server.close();
      await dns[Symbol.asyncDispose]();
      await platform.stop();
    });
    beforeEach(() => {
      visits = 0;
      dns.asked.length = 0;
    });

    const fetchAll = async (...fetches: (string | { url: string; [key: string]: unknown })[]): Promise<string[]> => {
      const list = fetches.map((one) => (typeof one === 'string' ? { url: one } : one));
      const body = JSON.stringify(list).replaceAll('PORT', String(port));
      const { text } = await platform.request('fetcher', '/', { method: 'POST', body });
      return JSON.parse(text) as string[];
    };
    const by = (target: string, host = 'public.test'): string =>
      `http://${host}:PORT/?to=${encodeURIComponent(target.replaceAll('PORT', String(port)))}`;

    it('reach the public server, so that the rest means something', async () => {
      assert.deepEqual(await fetchAll(`http://${PUBLIC_ADDRESS}:PORT/`, 'http://public.test:PORT/'), [
        'public',
        'public',
      ]);
      assert.deepEqual(await fetchAll(by('http://public.test:PORT/')), ['public']);
    });

    it('are refused once the name is bound anew, and go by the address that was checked', async () => {
      dns.addresses.set('rebind.test', [[PUBLIC_ADDRESS], ['127.0.0.1']]);
      const url = 'http://rebind.test:PORT/';
      const [first, ...later] = await fetchAll(url, url, url);
      assert.equal(first, 'public');
      for (const answer of later)
        assert.match(answer, /^private address refused: fetch to rebind\.test resolves to 127\.0\.0\.1/);
      assert.deepEqual(dns.asked, ['rebind.test', 'rebind.test', 'rebind.test']); // one look-up for each connection
      assert.equal(visits, 0);
    });

    it('are refused when the name is bound anew between a redirect and its target', async () => {
      for (const status of ['301', '302', '303', '307', '308']) {
        dns.addresses.set('turning.test', [[PUBLIC_ADDRESS], ['127.0.0.1']]);
        const url = by('http://turning.test:PORT/', 'turning.test');
        // oxlint-disable-next-line no-await-in-loop -- each has the name anew
        const [answer = ''] = await fetchAll({ url, method: 'POST', body: 'x', headers: { 'x-status': status } });
        assert.match(answer, REFUSED, status);
      }
      assert.equal(visits, 0);
    });

    it('are refused when the second name of two is bound anew', async () => {
      dns.addresses.set('other.test', [[PUBLIC_ADDRESS], [PUBLIC_ADDRESS], ['127.0.0.1']]);
      const url = by('http://other.test:PORT/');
      const answers = await fetchAll(url, url, url);
      assert.deepEqual(answers.slice(0, 2), ['public', 'public']);
      assert.match(answers[2] ?? '', REFUSED);
      assert.equal(visits, 0);
    });

    for (const target of [
      'http://127.0.0.1:PORT/',
      'http://127.1:PORT/',
      'http://0x7f000001:PORT/',
      'http://[::1]:PORT/',
      'http://[::ffff:127.0.0.1]:PORT/',
      'http://private.test:PORT/',
      'http://169.254.169.254/latest/meta-data/',
      '//127.0.0.1:PORT/',
      '\\\\127.0.0.1:PORT',
      'http://user@127.0.0.1:PORT/',
      'file:///etc/passwd',
    ]) {
      it(`are refused after a redirect to ${target}`, async () => {
        const [answer = '', second = ''] = await fetchAll(by(target), by(by(target)));
        assert.doesNotMatch(answer + second, /secret|public$/);
        assert.match(answer, target.startsWith('file') || target.includes('user') ? /./ : REFUSED);
        assert.equal(visits, 0);
      });
    }

    it('use only the public ones of several addresses', async () => {
      dns.addresses.set('mixed.test', [['127.0.0.1', PUBLIC_ADDRESS, '10.0.0.1']]);
      assert.deepEqual(await fetchAll('http://mixed.test:PORT/', 'http://mixed.test:PORT/'), ['public', 'public']);
      assert.equal(visits, 0);
    });

    it('do not wait for names that nobody answers for', async () => {
      const silent = Array.from({ length: 20 }, (_, n) => `silent-${n}.test`);
      for (const name of silent) dns.silent.add(name);
      let isWaiting = true;
      const waiting = Promise.all(silent.map((name) => fetchAll(`http://${name}:PORT/`)));
      void waiting.then(() => (isWaiting = false));
      while (silent.some((name) => !dns.asked.includes(name))) await fetchAll('http://public.test:PORT/');
      assert.deepEqual(await fetchAll('http://public.test:PORT/'), ['public']);
      assert.ok(isWaiting);
      for (const [answer = ''] of await waiting) assert.match(answer, /^(Name not resolved|Connection timed out)/);
    });

    it('are refused to a WebSocket as well', async () => {
      dns.addresses.set('socket.test', [[PUBLIC_ADDRESS], ['127.0.0.1']]);
      const headers = { upgrade: 'websocket' };
      const url = 'http://socket.test:PORT/';
      const answers = await fetchAll(
        { url, headers },
        { url, headers },
        { url: by('http://private.test:PORT/'), headers },
      );
      assert.equal(answers[0], 'public');
      for (const answer of answers.slice(1)) assert.match(answer, REFUSED);
      assert.equal(visits, 0);
    });
  });
}
