/** From requests to money: a real platform with the operator's plans, read by the command line. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runIsola } from '../helpers/isola-command.ts';
import { spawnIsola } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { awaitUsage } from '../helpers/usage.ts';

const STRIPE_KEY = 'rk_test_billing';
const PLANS = {
  default: 'dear',
  compare: ['standard', 'lambda-2018-128mb'],
  plans: {
    dear: {
      kind: 'cpu',
      title: 'Dear',
      currency: 'EUR',
      perMillionRequests: '500000',
      perMillionCpuMs: '1000000',
      minimum: '20.00',
    },
  },
  accounts: { main: { overrides: { perMillionCpuMs: '0' }, stripeCustomer: 'cus_main' } },
};

describe('Billing', () => {
  const dir = mkdtempSync(join(tmpdir(), 'isola-billing-'));
  const toStripe = Promise.withResolvers<{ authorization: string | undefined; body: string }>();
  const stripe = createServer((request, response) => {
    text(request).then((body) => {
      toStripe.resolve({ authorization: request.headers.authorization, body });
      response.end('{}');
    }, toStripe.reject);
  });
  let platform: TestPlatform;

  before(async () => {
    const file = join(dir, 'plans.json');
    writeFileSync(file, JSON.stringify(PLANS));
    const keyFile = join(dir, 'stripe-key');
    writeFileSync(keyFile, `${STRIPE_KEY}\n`);
    stripe.listen(0, '127.0.0.1');
    await once(stripe, 'listening');
    const url = `http://127.0.0.1:${(stripe.address() as AddressInfo).port}`;
    const exporting = ['--stripe-key', `file:${keyFile}`, '--stripe-url', url, '--stripe-interval', '1'];
    platform = await startTestPlatform(['--cells', '1', '--plans', file, ...exporting]);
    await deployCode(platform, 'hello', `export default { fetch: () => new Response('hello') }`);
    for (let sent = 0; sent < 7; sent++) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is as good
      assert.equal((await platform.request('hello', '/')).status, 200);
    }
    await awaitUsage(platform, 'hello', ({ requests }) => requests === 7);
  });
  after(async () => {
    await platform.stop();
    stripe.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('is by the plans of the operator, and tells what it would have cost under others', async () => {
    const { stdout } = await runIsola(platform, ['usage', '--compare']);
    assert.match(
      stdout,
      /^dear \(the plan of main\) +20\.00 EUR +7 requests × 500000 \/ 1000000 \+ .*up to the minimum/m,
    );
    assert.match(stdout, /^standard +0\.00 USD +7 requests × 0\.30 \/ 1000000 \+ /m);
    assert.match(stdout, /^lambda-2018-128mb +0\.00 USD .* GB-s \(700 ms, each request rounded up to 100 ms/m);
    const json = JSON.parse((await runIsola(platform, ['usage', '--compare', '--json'])).stdout) as {
      lines: { item: string; amount_minor: number }[];
      total_minor: number;
    };
    assert.deepEqual(
      json.lines.map(({ item, amount_minor }) => [item, amount_minor]),
      [
        ['requests', 350],
        ['cpu_ms', 0],
        ['minimum', 1_650],
      ],
    );
    assert.equal(json.total_minor, 2_000);
  });

  it('makes an invoice as PDF and JSON, whose lines add up', async () => {
    const month = new Date().toISOString().slice(0, 7);
    const args = ['--month', month, '--out', join(dir, 'invoices'), '--issuer', 'Isola Ltd'];
    const { code, stdout } = await runIsola(platform, ['invoice', ...args]);
    assert.equal(code, 0);
    assert.match(stdout, /^20\.00 EUR, until now: .*\.pdf and .*\.json$/);
    const path = join(dir, 'invoices', `invoice-main-${month}`);
    assert.match(readFileSync(`${path}.pdf`, 'latin1'), /^%PDF-1\./);
    const invoice = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as {
      number: string;
      issuer: string;
      final: boolean;
      lines: { amount_minor: number }[];
      total_minor: number;
      workers: { worker: string; requests: number }[];
    };
    assert.deepEqual([invoice.number, invoice.issuer, invoice.final], [`main-${month}`, 'Isola Ltd', false]);
    assert.equal(
      invoice.lines.reduce((sum, { amount_minor }) => sum + amount_minor, 0),
      invoice.total_minor,
    );
    assert.deepEqual(
      invoice.workers.map(({ worker, requests }) => [worker, requests]),
      [['hello', 7]],
    );
  });

  it('tells Stripe what was used, with the key that nobody else sees', async () => {
    const { authorization, body } = await toStripe.promise;
    assert.equal(authorization, `Bearer ${STRIPE_KEY}`);
    const event = new URLSearchParams(body);
    assert.match(event.get('event_name') ?? '', /^isola_(requests|cpu_ms)$/);
    assert.equal(event.get('payload[stripe_customer_id]'), 'cus_main');
    assert.ok(Number(event.get('payload[value]')) >= 1);
  });

  it('does not begin without the key that it was told to use, and does not show what it found', async () => {
    const file = join(dir, 'no-key');
    writeFileSync(file, 'hunter2 hunter2');
    const args = ['--port', '0', '--control-port', '0', '--data', join(dir, 'data'), '--stripe-key', `file:${file}`];
    const server = spawnIsola(['serve', ...args]);
    const { code } = await server.exited;
    assert.equal(code, 1);
    assert.match(
      server.stderr.join('\n'),
      /Cannot use --stripe-key file:.*no-key: there is no key that begins with sk_/,
    );
    assert.doesNotMatch(server.stderr.join('\n'), /hunter2/);
  });

  it('does not begin with plans that do not fit, and says why', async () => {
    const file = join(dir, 'wrong.json');
    writeFileSync(file, JSON.stringify({ default: 'free' }));
    const args = ['--port', '0', '--control-port', '0', '--data', join(dir, 'data'), '--plans', file];
    const server = spawnIsola(['serve', ...args]);
    const { code } = await server.exited;
    assert.equal(code, 1);
    assert.match(server.stderr.join('\n'), /Cannot use --plans .*wrong\.json: default: there is no plan 'free'/);
  });
});
