import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { runIsola } from '../helpers/isola-command.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

// One invocation that goes on fetching, one round for each line that its client sends.
const LASTING = `export default {
  async fetch(request) {
    const url = request.headers.get('x-url');
    const { readable, writable } = new TransformStream();
    const writer = writable.getWriter();
    const say = (text) => writer.write(new TextEncoder().encode(text + '\\n'));
    const work = async () => {
      for await (const _ of request.body) {
        await say(await fetch(url).then(({ status }) => String(status), (error) => error.message));
      }
      await writer.close();
    };
    work();
    return new Response(readable);
  },
};`;

describe('The hosts of an account', () => {
  let platform: TestPlatform;
  let origin: Server;
  let url = '';
  before(async () => {
    origin = createServer((_request, response) => response.end('here'));
    origin.listen(0, '127.0.0.1');
    await once(origin, 'listening');
    url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/`;
    platform = await startTestPlatform(['--allow-private-egress']);
    await deployCode(platform, 'lasting', LASTING);
  });
  after(async () => {
    await platform.stop();
    origin.close();
  });

  const set = async (...options: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runIsola(platform, ['account', 'set', platform.account, ...options]);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  it('hold for what runs already, are shown, and are taken back', async () => {
    const { hostname, port } = new URL(platform.gatewayUrl);
    const headers = { host: `lasting.${platform.account}.localhost`, 'x-url': url };
    const outgoing = request({ hostname, port, method: 'POST', headers });
    outgoing.write('\n');
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    const answers = createInterface({ input: incoming })[Symbol.asyncIterator]();
    const next = async (): Promise<unknown> => (await answers.next()).value;
    const ask = async (): Promise<unknown> => {
      outgoing.write('\n');
      return next();
    };
    assert.equal(await next(), '200');
    assert.match(await set('--egress-deny', '127.0.0.1,*.Example.com'), /egress-deny +127\.0\.0\.1,\*\.example\.com/);
    assert.equal(await ask(), 'Cannot fetch: this account may not reach 127.0.0.1');
    await set('--egress-deny', 'none', '--egress-allow', 'api.example.com');
    assert.match(String(await ask()), /^Cannot fetch: 127\.0\.0\.1 is not among the hosts/);
    assert.match(await set(), /egress-allow +api\.example\.com\n +egress-deny +none/);
    await set('--egress-allow', 'any');
    assert.equal(await ask(), '200');
    outgoing.end();
  });

  it('are the operator’s to set, checked, and written down', async () => {
    const wrong = await runIsola(platform, ['account', 'set', platform.account, '--egress-deny', 'http://a.test/']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /must be host names, IP addresses/);
    const nobody = await runIsola(platform, ['account', 'set', 'nobody', '--egress-deny', 'a.test']);
    assert.match(nobody.stderr, /Cannot set up account 'nobody'/);
    const audit = await runIsola(platform, ['audit', '--action', 'account.settings', '--json']);
    assert.match(audit.stdout, /"status":200/);
  });
});
