/** The page of CPU profiles, on a real platform under load. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { signIn, skipBrowser, startBrowser, type TestBrowser } from '../helpers/browser.ts';
import { keepAsking } from '../helpers/keep-asking.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployShop } from './pages.ts';

describe('the dashboard profiles a Worker', { skip: skipBrowser, timeout: 240_000 }, () => {
  let platform: TestPlatform;
  let browser: TestBrowser;
  before(async () => {
    [platform, browser] = await Promise.all([startTestPlatform(), startBrowser()]);
    await deployShop(platform);
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await platform?.stop();
  });

  it('shows its functions as a flame graph that zooms, and gives them as a file', async () => {
    const { page, problems } = await browser.open(`${platform.controlUrl}/dashboard/`);
    await signIn(page, platform.token);
    await page.goto(`${platform.controlUrl}/dashboard/a/main/workers/shop/profile`);
    await page.getByLabel('Seconds').selectOption('2');
    await page.getByRole('button', { name: 'Profile live requests' }).click();
    await page.getByRole('progressbar', { name: 'Profiling' }).waitFor();
    const graph = page.getByRole('group', { name: 'Flame graph' });
    await keepAsking(graph.waitFor(), () => platform.request('shop', '/cart'));
    const all = await graph.getByRole('button').count();
    await graph
      .getByRole('button', { name: /^priceOf .*index\.js:1: / })
      .first()
      .click();
    assert.ok((await graph.getByRole('button').count()) < all);
    await page.getByRole('button', { name: 'Back' }).click();
    assert.equal(await graph.getByRole('button').count(), all);
    await page.getByRole('region', { name: 'Functions by their own time' }).getByText('priceOf').waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download .cpuprofile' }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), 'shop.cpuprofile');
    const { nodes } = JSON.parse(await readFile(await file.path(), 'utf8')) as { nodes: { callFrame: object }[] };
    assert.ok(nodes.some(({ callFrame }) => JSON.stringify(callFrame).includes('"priceOf"')));
    assert.deepEqual(problems, []);
  });
});
