/** `npm run screenshots`: every page, light, dark and narrow. Prints where they are. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startBrowser } from '../helpers/browser.ts';
import { ROOT } from '../helpers/isola-process.ts';
import { startTestPlatform } from '../helpers/platform.ts';
import { deployShop, visitPages } from './pages.ts';

const LOOKS = [
  { look: 'light', colorScheme: 'light', width: 1_280 },
  { look: 'dark', colorScheme: 'dark', width: 1_280 },
  { look: 'narrow', colorScheme: 'light', width: 360 },
] as const;

const folder = join(ROOT, 'screenshots');
await mkdir(folder, { recursive: true });
await using platform = await startTestPlatform();
await using browser = await startBrowser();
await deployShop(platform);
for (const { look, ...options } of LOOKS) {
  await visitPages({ platform, browser }, options, async (name, page) => {
    const path = join(folder, `${name}-${look}.png`);
    await page.screenshot({ path, fullPage: true });
    console.log(path);
  });
}
