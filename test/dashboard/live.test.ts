/** The pages that watch, of a platform with real traffic: what they show is what was done. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { signIn, skipBrowser, startBrowser, type TestBrowser } from '../helpers/browser.ts';
import { keepAsking } from '../helpers/keep-asking.ts';
import { startLoad } from '../helpers/load.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { awaitUsage } from '../helpers/usage.ts';

const PLANS = {
  default: 'dear',
  compare: ['lambda-2018-128mb'],
  plans: {
    dear: { kind: 'cpu', title: 'Dear', currency: 'EUR', perMillionRequests: '500000', perMillionCpuMs: '0' },
  },
};
const SHOP = `export default { fetch(request) {
  const { pathname } = new URL(request.url);
  console.log('asked for ' + pathname);
  if (pathname === '/fail') throw new Error('the cart is gone');
  return new Response('ok');
} }`;
const COMPUTES = `export default { fetch() {
  let x = 0;
  for (let i = 0; i < 300_000; i++) x += Math.sqrt(i);
  return new Response(String(x));
} }`;
const HOLDS = `const kept = new Uint8Array(60 << 20).fill(1);
export default { fetch: () => new Response(String(kept.length)) }`;
// A built-in that nothing interrupts: costs the cell.
const STUCK = `export default { fetch(request) {
  if (request.url.endsWith('/stuck')) [].indexOf.call({ length: 2 ** 53 - 1 }, 7);
  return new Response('fine');
} }`;

describe('the dashboard shows, of a platform at work,', { skip: skipBrowser, timeout: 300_000 }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'isola-live-'));
  let platform: TestPlatform;
  let browser: TestBrowser;
  const ofAcme = { account: 'acme', control: (path: string, init?: RequestInit) => platform.control(path, init) };

  before(async () => {
    const plans = join(dir, 'plans.json');
    writeFileSync(plans, JSON.stringify(PLANS));
    const args = ['--cells', '1', '--cell-memory-mib', '600', '--api-rate', '0', '--plans', plans];
    [platform, browser] = await Promise.all([startTestPlatform(args), startBrowser()]);
    await platform.control('/accounts/acme/isola/account', { method: 'PUT', body: '{}' });
    await deployCode(platform, 'shop', SHOP);
    await deployCode(ofAcme, 'bad', STUCK);
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await platform?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const open = async (path: string, token = platform.token): Promise<{ page: Page; check: () => Promise<void> }> => {
    const { page, problems } = await browser.open(`${platform.controlUrl}/dashboard/${path}`);
    await signIn(page, token);
    return {
      page,
      check: async () => {
        assert.deepEqual(problems, []);
        await page.context().close();
      },
    };
  };
  const tokenOf = async (account: string, scopes: string[]): Promise<string> => {
    const body = JSON.stringify({ name: 'customer', scopes });
    const made = await platform.control(`/accounts/${account}/isola/tokens`, { method: 'POST', body });
    return ((await made.json()) as { result: { token: string } }).result.token;
  };

  it('usage and cost of the requests that were made, as they are made', async () => {
    for (let count = 0; count < 7; count++) assert.equal((await platform.request('shop', `/${count}`)).status, 200);
    for (let count = 0; count < 2; count++) assert.equal((await platform.request('shop', '/fail')).status, 500);
    await awaitUsage(platform, 'shop', ({ requests }) => requests === 9);
    const { page, check } = await open('a/main/usage');
    const figure = (title: string) =>
      page.locator('dl.figures > div').filter({ hasText: title }).getByRole('definition');
    await figure('Requests').getByText('9', { exact: true }).waitFor();
    await figure('Errors').getByText('2', { exact: true }).waitFor();
    await page.getByRole('combobox', { name: 'Period, in UTC' }).selectOption({ label: 'The last hour, by minute' });
    for (const title of ['Requests', 'Errors', 'CPU time', 'Cold starts']) {
      await page
        .getByRole('group', { name: `${title} over time` })
        .locator('canvas')
        .waitFor();
    }
    await page.getByText('The charts as a table').click();
    const overTime = page.getByRole('region', { name: 'Usage over time' }).getByRole('row');
    const columns = await overTime.evaluateAll((rows) =>
      rows
        .slice(1)
        .map((row) => [...row.querySelectorAll('td')].map(({ textContent }) => Number.parseFloat(textContent))),
    );
    assert.deepEqual(
      [0, 1].map((column) => columns.reduce((sum, row) => sum + (row[column] ?? 0), 0)),
      [9, 2],
    );
    assert.ok(columns.some((row) => (row[2] ?? 0) > 0));
    const shop = page.getByRole('region', { name: 'Usage by Worker' }).getByRole('row', { name: /^shop 9 2 / });
    await shop.waitFor();
    const bill = page.getByRole('region', { name: 'Lines of the bill' });
    await bill.getByRole('row', { name: 'requests 9 requests 0 500000 per 1,000,000 4.50' }).waitFor();
    const compared = page.getByRole('region', { name: 'What it would have cost' });
    await compared.getByRole('row', { name: /^Dear \(this one\) 4\.50 EUR 9 requests × 500000/ }).waitFor();
    await compared.getByRole('row', { name: /0\.00 USD 9 requests × 0\.20 .* rounded up to 100 ms/ }).waitFor();
    await platform.request('shop', '/later');
    await figure('Requests').getByText('10', { exact: true }).waitFor();
    await check();
  });

  it('logs as they are searched', async () => {
    await platform.request('shop', '/needle-in-a-haystack');
    const { page, check } = await open('a/main/logs');
    const entries = page.getByRole('list', { name: 'Invocations' }).getByRole('listitem');
    await page.getByLabel('Text').fill('NEEDLE-in');
    const search = page.getByRole('button', { name: 'Search' });
    const needle = entries.filter({ hasText: 'asked for /needle-in-a-haystack' });
    await keepAsking(needle.waitFor(), () => search.click());
    await needle.waitFor(); // of the last click
    assert.equal(await entries.count(), 1);
    await page.getByLabel('Text').fill('');
    await page.getByLabel('Outcome').selectOption('exception');
    await search.click();
    await entries.nth(1).getByText('Error: the cart is gone').waitFor();
    await entries
      .nth(1)
      .getByText(/at .*fetch.*index\.js:4:/)
      .waitFor();
    assert.equal(await entries.count(), 2);
    await check();
  });

  it('who is in quarantine, who is hot, and who was evicted, among the cells', async () => {
    const quarantined = platform.line(/"event":"quarantine"/);
    assert.equal((await platform.request('bad', '/stuck', ofAcme)).status, 502);
    await quarantined;
    const { page, check } = await open('cells');
    const events = page.getByRole('region', { name: 'What happened' });
    await events.getByRole('listitem').filter({ hasText: 'quarantined bad of acme' }).waitFor();
    await events
      .getByRole('listitem')
      .filter({ hasText: /^restarted cell/ })
      .waitFor();
    assert.equal((await platform.request('bad', '/', ofAcme)).text, 'fine');
    const kept = page.getByRole('region', { name: /^Cell/ }).filter({ hasText: 'quarantine of acme' });
    await kept.getByRole('button', { name: /^bad acme/ }).waitFor();

    await deployCode(platform, 'hot', COMPUTES);
    const load = startLoad({ gatewayUrl: platform.gatewayUrl, host: 'hot.main.localhost', clients: 2 });
    const hot = page.getByRole('button', { name: /^hot main/ });
    await page.locator('.heat-4, .heat-5').filter({ hasText: 'hot' }).waitFor(); // over 20 % of a core
    await hot.click();
    await page
      .getByRole('status')
      .getByText(/^hot of main, .* CPU and [1-9][\d,]* requests in the last second/)
      .waitFor();
    assert.deepEqual(Object.keys(Object.fromEntries((await load.stop()).statuses)), ['200']);
    await page.locator('.heat-0').filter({ hasText: 'hot' }).waitFor();

    // Each is seen by its size before the next one comes: what instances hold is measured now and then.
    const evicted = events.getByRole('listitem').filter({ hasText: /^evicted [\w-]+ of main/ });
    let big = hot;
    for (let index = 0; (await evicted.count()) === 0; index++) {
      await deployCode(platform, `big-${index}`, HOLDS);
      big = page.getByRole('button', { name: new RegExp(`^big-${index} main.*: 6\\d(?:\\.\\d)? MiB,`) });
      await keepAsking(big.waitFor(), () => platform.request(`big-${index}`, '/'));
    }
    const [large, small] = [await big.boundingBox(), await kept.getByRole('button', { name: /^bad/ }).boundingBox()];
    assert.ok(large !== null && small !== null && large.width > small.width);
    await check();
  });

  it('a customer what is his, and which scope a token lacks', async () => {
    const theirs = await open('a/acme/cells', await tokenOf('acme', ['account:read', 'workers:read', 'tail:read']));
    await theirs.page.getByRole('button', { name: /^bad/ }).waitFor();
    await theirs.page.getByText('quarantined bad of acme').waitFor();
    assert.doesNotMatch((await theirs.page.locator('main').textContent()) ?? '', /main|big-|hot/);
    await theirs.page.goto(`${platform.controlUrl}/dashboard/a/acme/usage`);
    await theirs.page.getByRole('rowheader', { name: 'bad', exact: true }).waitFor();
    assert.doesNotMatch((await theirs.page.locator('main').textContent()) ?? '', /shop/);
    await theirs.page.goto(`${platform.controlUrl}/dashboard/a/acme/logs`);
    const logged = theirs.page.getByRole('list', { name: 'Invocations' });
    await logged.getByRole('listitem').filter({ hasText: 'bad' }).first().waitFor(); // why it is in quarantine
    assert.doesNotMatch((await logged.textContent()) ?? '', /shop/);
    await theirs.page.goto(`${platform.controlUrl}/dashboard/a/acme/workers/bad`);
    await theirs.page.getByText('lacks the scope workers:write').waitFor();
    await theirs.page.goto(`${platform.controlUrl}/dashboard/a/main/usage`);
    await theirs.page.getByRole('alert').first().getByText("There is no account 'main'").waitFor();
    await theirs.check();

    const little = await open('a/acme/usage', await tokenOf('acme', ['kv:read']));
    for (const [page, scope] of [
      ['usage', 'account:read'],
      ['logs', 'tail:read'],
      ['cells', 'workers:read'],
      ['workers', 'workers:read'],
    ] as const) {
      await little.page.goto(`${platform.controlUrl}/dashboard/a/acme/${page}`);
      await little.page.getByRole('alert').getByText(`it needs the scope '${scope}'`).first().waitFor();
    }
    await little.check();
  });
});
