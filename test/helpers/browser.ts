/** The dashboard in Debian's Chromium, as a person uses it. */
import { type Browser, chromium, type Page } from 'playwright-core';
import { CHROMIUM_REMEDY, findChromium } from '../../src/cli/chromium.ts';

const PATIENCE_MS = 60_000; // of one step, on a machine that does much else

/** For `describe`: false, or loudly why not. */
export const skipBrowser: string | false =
  findChromium() === undefined ? `NOT TESTED: there is no chromium (${CHROMIUM_REMEDY})` : false;

export interface TestBrowser extends AsyncDisposable {
  /** A new person: nothing is shared with pages from before. `problems` collects what the browser complains about. */
  open(url: string, options?: PageOptions): Promise<{ page: Page; problems: string[] }>;
}

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

export async function startBrowser(): Promise<TestBrowser> {
  const browser: Browser = await chromium.launch({
    executablePath: findChromium() ?? 'chromium',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  return {
    async open(url, { colorScheme = 'light', width = 1_280 } = {}) {
      const context = await browser.newContext({
        colorScheme,
        viewport: { width, height: 900 },
        timezoneId: 'UTC',
        reducedMotion: 'reduce',
        bypassCSP: false,
      });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => {
        const text = message.text();
        // That an API call was refused is shown on the page and no fault of it.
        if (message.type() === 'error' && !text.startsWith('Failed to load resource')) problems.push(text);
      });
      await page.goto(url);
      return { page, problems };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** Puts a text in the place of the one in the editor. */
export async function writeCode(page: Page, code: string): Promise<void> {
  const editor = page.getByRole('textbox', { name: /^Code of/ });
  await editor.click();
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.press('Delete'); // typing over a selection has the browser itself try inline styles
  await page.keyboard.insertText(code);
}
