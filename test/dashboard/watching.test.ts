/** The pages that watch: cells, usage and cost, logs. The numbers are made up, so that they are known. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { signIn, skipBrowser, startBrowser, type TestBrowser } from '../helpers/browser.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { fakeWatching, HOSTILE, USAGE } from './watching.ts';

describe('the dashboard shows', { skip: skipBrowser, timeout: 240_000 }, () => {
  let platform: TestPlatform;
  let browser: TestBrowser;
  before(async () => {
    [platform, browser] = await Promise.all([startTestPlatform(), startBrowser()]);
    await deployCode(platform, 'hot', 'export default { fetch: () => new Response("hot") };');
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await platform?.stop();
  });

  const open = async (path: string): Promise<{ page: Page; check: () => Promise<void> }> => {
    const { page, problems } = await browser.open(`${platform.controlUrl}/dashboard/`);
    await fakeWatching(page);
    await signIn(page, platform.token);
    await page.goto(`${platform.controlUrl}/dashboard/${path}`);
    const check = async (): Promise<void> => {
      assert.equal(await page.title(), 'isola');
      assert.deepEqual(problems, []);
    };
    return { page, check };
  };

  it('cells with tiles by memory and activity, their events, and the same as a table', async () => {
    const { page, check } = await open('cells');
    const tiles = page.getByRole('list', { name: 'Isolates of cell 0' });
    const hot = tiles.getByRole('button', { name: /^hot main.*700 ms CPU/ });
    await hot.waitFor();
    const idle = tiles.getByRole('button', { name: /^quiet-1 acme/ });
    const [large, small] = [await hot.boundingBox(), await idle.boundingBox()];
    assert.ok(large !== null && small !== null && large.width > small.width);
    assert.match((await hot.getAttribute('class')) ?? '', /heat-5/);
    assert.match((await idle.getAttribute('class')) ?? '', /heat-0/);
    await hot.press('Enter');
    await page.getByRole('status').getByText('hot of main').waitFor();
    const events = page.getByRole('region', { name: 'What happened' });
    await events.getByText('quarantined').first().waitFor();
    await events.getByText('sleepy of acme').first().waitFor();
    await page.getByLabel('As a table').check();
    const table = page.getByRole('region', { name: 'Isolates of cell 1' }).getByRole('row');
    assert.match((await table.nth(1).textContent()) ?? '', /main<img src=x/); // the busiest first, as text
    await check();
  });

  it('usage over time in charts and in a table, and what it would have cost', async () => {
    const { page, check } = await open(`a/${platform.account}/usage`);
    await page.getByRole('definition').getByText('8,123').waitFor();
    for (const title of ['Requests', 'Errors', 'CPU time', 'Cold starts']) {
      await page
        .getByRole('group', { name: `${title} over time` })
        .locator('canvas')
        .waitFor();
    }
    await page.getByText('The charts as a table').click();
    assert.equal(await page.getByRole('region', { name: 'Usage over time' }).getByRole('row').count(), 61);
    await page.getByRole('combobox', { name: 'Worker' }).selectOption(HOSTILE);
    const compare = page.getByRole('region', { name: 'What it would have cost' });
    await compare.getByText('0.50 USD').waitFor();
    await compare.getByText('1.84 USD').waitFor();
    await check();
  });

  it('usage of more Workers than can be told apart, as one', async () => {
    const { page, check } = await open('cells');
    await page.route(/\/isola\/usage\?(?!.*merged)/, (route) =>
      route.fulfill({
        status: 400,
        json: {
          success: false,
          errors: [{ code: 10001, message: 'more than 10000 rows' }],
          messages: [],
          result: null,
        },
      }),
    );
    const row = { ...USAGE.rows[0], worker: '' };
    await page.route(/\/isola\/usage\?.*merged=true/, (route) =>
      route.fulfill({ json: { success: true, errors: [], messages: [], result: { ...USAGE, rows: [row] } } }),
    );
    await page.goto(`${platform.controlUrl}/dashboard/a/${platform.account}/usage`);
    await page.getByText('more Workers than can be told apart').waitFor();
    await page.getByRole('definition').getByText('8,123').waitFor();
    await page.getByRole('group', { name: 'Requests over time' }).locator('canvas').waitFor();
    assert.equal(await page.getByRole('combobox', { name: 'Worker' }).count(), 0);
    await check();
  });

  it('logs as text', async () => {
    const { page, check } = await open(`a/${platform.account}/logs`);
    const entry = page.getByRole('list', { name: 'Invocations' }).getByRole('listitem');
    await entry.getByText(`log: ${HOSTILE}`).waitFor();
    await entry.getByText('TypeError: cart is undefined').waitFor();
    const asked = page.waitForRequest(/isola\/logs\?.*text=needle/);
    await page.getByLabel('Text').fill('needle');
    await page.getByRole('button', { name: 'Search' }).click();
    await asked;
    await check();
  });
});
