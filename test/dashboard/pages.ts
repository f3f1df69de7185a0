/** Every page of the dashboard in a state worth looking at: for pictures, and for the check of its accessibility. */
import type { Page } from 'playwright-core';
import { type PageOptions, signIn, type TestBrowser } from '../helpers/browser.ts';
import { keepAsking } from '../helpers/keep-asking.ts';
import type { TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';
import { fakeWatching } from './watching.ts';

interface DashboardPage {
  readonly name: string;
  /** Below `/dashboard/`. */
  readonly path: string;
  /** Resolves once there is what is to be seen. */
  readonly prepare: (page: Page, platform: TestPlatform) => Promise<unknown>;
}

const WORKER = 'a/main/workers/shop';

export const PAGES: readonly DashboardPage[] = [
  { name: 'workers', path: 'a/main/workers', prepare: (page) => page.getByRole('link', { name: 'shop' }).waitFor() },
  {
    name: 'worker',
    path: WORKER,
    prepare: async (page) => {
      await page.getByRole('slider').fill('25');
      await page.getByRole('button', { name: 'Roll back to #1' }).waitFor();
    },
  },
  {
    name: 'editor',
    path: `${WORKER}/edit`,
    prepare: async (page) => {
      await page.getByRole('textbox', { name: /^Code of/ }).waitFor();
      await page.getByRole('button', { name: 'Try it' }).click();
      await page.getByLabel('Body of the answer').waitFor();
    },
  },
  {
    name: 'tail',
    path: `${WORKER}/tail`,
    prepare: async (page, platform) => {
      await page.getByText('connected', { exact: true }).waitFor();
      await platform.request('shop', '/cart');
      await platform.request('shop', '/fail');
      await page.getByText('Error: the cart is gone').waitFor();
    },
  },
  {
    name: 'profile',
    path: `${WORKER}/profile`,
    prepare: async (page, platform) => {
      await page.getByLabel('Seconds').selectOption('2');
      await page.getByRole('button', { name: 'Profile live requests' }).click();
      const graph = page.getByRole('group', { name: 'Flame graph' });
      await keepAsking(graph.waitFor(), () => platform.request('shop', '/cart'));
    },
  },
  {
    name: 'memory',
    path: `${WORKER}/memory`,
    prepare: async (page, platform) => {
      await platform.request('shop', '/cart');
      await page.getByRole('button', { name: 'Look again' }).click();
      await page.getByRole('columnheader', { name: 'Heap in use' }).waitFor();
    },
  },
  {
    name: 'usage',
    path: 'a/main/usage',
    prepare: async (page) => {
      await page.locator('canvas').nth(3).waitFor();
      await page.getByRole('region', { name: 'What it would have cost' }).waitFor();
    },
  },
  { name: 'logs', path: 'a/main/logs', prepare: (page) => page.getByText('cart is undefined').waitFor() },
  { name: 'cells', path: 'cells', prepare: (page) => page.getByRole('list', { name: 'Isolates of cell 1' }).waitFor() },
  {
    name: 'cells-table',
    path: 'cells',
    prepare: async (page) => {
      await page.getByLabel('As a table').check();
      await page.getByRole('region', { name: 'Isolates of cell 1' }).waitFor();
    },
  },
];

/** What the pages are about. */
export async function deployShop(platform: TestPlatform): Promise<void> {
  const code = (version: number): string => `function priceOf(count) {
  const prices = [];
  for (let item = 0; item < count; item++) prices.push(Math.sin(item * 7));
  return prices.sort().length;
}
export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    console.log('asked for', pathname);
    if (pathname === '/fail') throw new Error('the cart is gone');
    return Response.json({ shop: 'open', version: ${version}, pathname, price: priceOf(2_000) });
  },
};
`;
  const bindings = [
    { type: 'plain_text', name: 'CURRENCY', text: 'EUR' },
    { type: 'secret_text', name: 'PAYMENT_KEY', text: 'not shown' },
  ];
  await deployCode(platform, 'shop', code(1), bindings);
  await deployCode(platform, 'shop', code(2), bindings);
}

/** Opens one page after the other, each signed in and prepared. */
export async function visitPages(
  { platform, browser }: { platform: TestPlatform; browser: TestBrowser },
  options: PageOptions,
  onPage: (name: string, page: Page) => Promise<void>,
): Promise<void> {
  const base = `${platform.controlUrl}/dashboard/`;
  const { page } = await browser.open(base, options);
  await page.getByLabel('Access token').waitFor();
  await onPage('sign-in', page);
  await fakeWatching(page);
  await signIn(page, platform.token);
  for (const { name, path, prepare } of PAGES) {
    await page.goto(base + path);
    await prepare(page, platform);
    await onPage(name, page);
  }
  await page.context().close();
}
