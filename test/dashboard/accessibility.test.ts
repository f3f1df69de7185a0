/** Every page by the rules of axe-core, in light and dark, and at 360 px, where nothing may stick out. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, it } from 'node:test';
import type { AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { skipBrowser, startBrowser, type TestBrowser } from '../helpers/browser.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployShop, visitPages } from './pages.ts';

const NARROW_PX = 360;
const MAX_NODES = 5; // of one finding, in its message
const LOOKS = [
  { colorScheme: 'light', width: 1_280 },
  { colorScheme: 'dark', width: 1_280 },
  { colorScheme: 'light', width: NARROW_PX },
] as const;

describe('pages of the dashboard', { skip: skipBrowser, timeout: 240_000 }, () => {
  let platform: TestPlatform;
  let browser: TestBrowser;
  let axe = '';
  before(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    [platform, browser] = await Promise.all([startTestPlatform(), startBrowser()]);
    await deployShop(platform);
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await platform?.stop();
  });

  for (const look of LOOKS) {
    it(`have no serious finding: ${look.colorScheme}, ${look.width} px`, async () => {
      const found: string[] = [];
      await visitPages({ platform, browser }, look, async (name, page) => {
        found.push(...(await check(page, axe)).map((finding) => `${name}: ${finding}`));
        const width = Number(await page.evaluate('document.documentElement.scrollWidth'));
        if (width > look.width) found.push(`${name}: is ${width} px wide`);
      });
      assert.deepEqual(found, []);
    });
  }
});

async function check(page: Page, axe: string): Promise<string[]> {
  await page.evaluate(axe); // by the debugger, to which the page's policy does not apply
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) =>
        `${id} at ${nodes
          .map(({ target }) => target.join(' '))
          .slice(0, MAX_NODES)
          .join(', ')}`,
    );
}
