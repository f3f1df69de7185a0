/** The dashboard against a whole platform: what an operator and a customer do in it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { signIn, skipBrowser, startBrowser, type TestBrowser, writeCode } from '../helpers/browser.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const HOSTILE = `<img src=x onerror="document.title='owned'">`;

const MAX_CLIENTS = 500; // of which 30 % have the other version

const answering = (text: string): string => `export default { fetch: () => new Response(${JSON.stringify(text)}) };`;

describe('the dashboard', { skip: skipBrowser, timeout: 240_000 }, () => {
  let platform: TestPlatform;
  let browser: TestBrowser;
  before(async () => {
    [platform, browser] = await Promise.all([startTestPlatform(), startBrowser()]);
  });
  after(async () => {
    await browser?.[Symbol.asyncDispose]();
    await platform?.stop();
  });

  const open = async (path = '', token = platform.token): Promise<{ page: Page; problems: string[] }> => {
    const opened = await browser.open(`${platform.controlUrl}/dashboard/${path}`);
    await signIn(opened.page, token);
    return opened;
  };
  const worker = (name: string, tab = ''): string => `a/${platform.account}/workers/${name}/${tab}`;

  it('refuses a wrong token, takes a good one, and forgets it on signing out', async () => {
    const { page, problems } = await browser.open(platform.controlUrl);
    await page.getByLabel('Access token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('Invalid access token').waitFor();
    await signIn(page, platform.token);
    await page.getByRole('heading', { name: 'Workers' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Access token').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    assert.deepEqual(problems, []);
  });

  it('deploys from the editor, tries it, and shows what the Worker says as text', async () => {
    const { page, problems } = await open(`a/${platform.account}/new`);
    await page.getByLabel('Name', { exact: true }).fill('from-editor');
    await writeCode(page, answering(HOSTILE));
    await page.getByRole('button', { name: 'Deploy' }).click();
    await page.getByRole('heading', { name: 'from-editor' }).waitFor();
    await page.getByRole('button', { name: 'Try it' }).click();
    const body = page.getByLabel('Body of the answer');
    await body.waitFor();
    assert.equal(await body.textContent(), HOSTILE);
    assert.equal(await page.title(), 'isola');
    await writeCode(page, answering('second'));
    await page.getByRole('button', { name: 'Save as a version' }).click();
    await page.getByText('Saved, not deployed').waitFor();
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByRole('alert').getByText('preview URLs').waitFor();
    await page.getByRole('button', { name: /^Switch preview URLs on/ }).click();
    await body.getByText('second').waitFor();
    assert.equal((await platform.request('from-editor', '/')).text, HOSTILE);
    assert.deepEqual(problems, []);
  });

  it('shifts traffic with the slider by keyboard, and rolls back', async () => {
    await deployCode(platform, 'gradual', answering('one'));
    await deployCode(platform, 'gradual', answering('two'));
    const { page, problems } = await open(worker('gradual'));
    const slider = page.getByRole('slider');
    await slider.focus();
    for (let presses = 0; presses < 3; presses += 1) await page.keyboard.press('PageUp');
    const share = Number(await slider.inputValue());
    assert.ok(share > 0 && share < 100, String(share));
    await page.getByRole('button', { name: 'Apply the roll-out' }).click();
    const traffic = page.getByRole('region', { name: 'Traffic' });
    await traffic
      .getByRole('listitem')
      .filter({ hasText: `${share} %` })
      .filter({ hasText: '#1' })
      .waitFor();
    const answers = new Set<string>();
    for (let client = 0; client < MAX_CLIENTS && answers.size < 2; client += 1) {
      const headers = { 'x-isola-version-key': `client ${client}` };
      answers.add((await platform.request('gradual', '/', { headers })).text);
    }
    assert.deepEqual([...answers].toSorted(), ['one', 'two']);
    await page.getByRole('button', { name: 'Roll back to #1' }).click();
    await traffic.getByRole('listitem').filter({ hasText: '100 %' }).filter({ hasText: '#1' }).waitFor();
    assert.equal((await platform.request('gradual', '/')).text, 'one');
    assert.deepEqual(problems, []);
  });

  it('shows bindings with values, secrets by name only', async () => {
    const bindings = [
      { type: 'plain_text', name: 'GREETING', text: HOSTILE },
      { type: 'secret_text', name: 'API_KEY', text: 'value-of-the-secret' },
    ];
    await deployCode(platform, 'bound', answering('x'), bindings);
    const { page, problems } = await open(worker('bound'));
    await page.getByRole('region', { name: 'Bindings' }).first().getByText(`text: ${HOSTILE}`).waitFor();
    await page.getByRole('region', { name: 'Secrets' }).getByText('API_KEY').waitFor();
    assert.ok(!(await page.content()).includes('value-of-the-secret'));
    assert.equal(await page.title(), 'isola');
    assert.deepEqual(problems, []);
  });

  it('streams invocations, hostile log lines as text', async () => {
    const code = `export default { fetch() { console.log(${JSON.stringify(HOSTILE)}); throw new Error('for the tail'); } };`;
    await deployCode(platform, 'noisy', code);
    const { page, problems } = await open(worker('noisy', 'tail'));
    await page.getByText('connected', { exact: true }).waitFor();
    await platform.request('noisy', '/seen-in-the-tail');
    const entry = page.getByRole('list', { name: 'Invocations' }).getByRole('listitem').first();
    await entry.getByText(`log: ${HOSTILE}`).waitFor();
    await entry.getByText('Error: for the tail').waitFor();
    await entry.getByText('/seen-in-the-tail').waitFor();
    assert.equal(await page.title(), 'isola');
    assert.deepEqual(problems, []);
  });

  it('shows a live isolate among the cells, to the operator and to its account', async () => {
    await deployCode(platform, 'alive', answering('alive'));
    await platform.request('alive', '/');
    for (const path of ['cells', `a/${platform.account}/cells`]) {
      const { page, problems } = await open(path);
      const tiles = page.getByRole('list', { name: /^Isolates of cell/ });
      await tiles
        .getByRole('button', { name: /^alive.*version/ })
        .first()
        .waitFor();
      assert.deepEqual(problems, []);
    }
  });

  it('lets operators switch accounts; customers see theirs and no other', async () => {
    await call('/accounts/acme/isola/account', { name: 'Acme Ltd' }, 'PUT');
    const { page, problems } = await open();
    await page.getByLabel('Account').selectOption('acme');
    await page.getByText('No Workers yet').waitFor();
    const made = await call('/accounts/acme/isola/tokens', {
      name: 'customer',
      scopes: ['account:read', 'workers:read'],
    });
    const customer = await open('', made.token);
    await customer.page.getByText('Acme Ltd').waitFor();
    assert.equal(await customer.page.getByLabel('Account').count(), 0);
    await customer.page.goto(`${platform.controlUrl}/dashboard/a/${platform.account}/workers`);
    await customer.page.getByRole('alert').getByText(`There is no account '${platform.account}'`).waitFor();
    assert.deepEqual([...problems, ...customer.problems], []);
  });

  async function call(path: string, body: object, method = 'POST'): Promise<{ token: string }> {
    const response = await platform.control(path, {
      method,
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(response.status, 200, await response.clone().text());
    return ((await response.json()) as { result: { token: string } }).result;
  }
});
