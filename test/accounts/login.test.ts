/** Real `wrangler login`, whoami, deploy and logout, with the browser's part done by fetch. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { runIsola } from '../helpers/isola-command.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

let platform: TestPlatform;
let env: Record<string, string>;
before(async () => {
  platform = await startTestPlatform();
  env = {
    CLOUDFLARE_API_TOKEN: '',
    CLOUDFLARE_ACCOUNT_ID: '',
    CI: '',
    WRANGLER_CLIENT_ID: 'wrangler',
    WRANGLER_AUTH_URL: `${platform.controlUrl}/oauth/authorize`,
    WRANGLER_TOKEN_URL: `${platform.controlUrl}/oauth/token`,
    WRANGLER_REVOKE_URL: `${platform.controlUrl}/oauth/revoke`,
    WRANGLER_AUTH_DOMAIN: new URL(platform.controlUrl).host,
  };
});
after(() => platform.stop());

/** What a person does in the browser: opens the page, pastes the token, allows. Resolves to where he ends up. */
async function signIn(url: string, token: string): Promise<{ consent: string; location: string }> {
  const page = await fetch(url);
  assert.equal(page.status, 200);
  const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
  const submit = async (html: string, extra: Record<string, string>): Promise<Response> => {
    const hidden = [...html.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)];
    const body = new URLSearchParams(hidden.map(([, name = '', value = '']) => [name, unescape(value)]));
    for (const [name, value] of Object.entries(extra)) body.set(name, value);
    const headers = { cookie, origin: platform.controlUrl, 'sec-fetch-site': 'same-origin' };
    return fetch(`${platform.controlUrl}/oauth/authorize`, { method: 'POST', body, headers, redirect: 'manual' });
  };
  const unescape = (text: string): string => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  const consent = await (await submit(await page.text(), { token })).text();
  const answer = await submit(consent, { decision: 'allow' });
  return { consent, location: answer.headers.get('location') ?? '' };
}

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    // oxlint-disable-next-line no-await-in-loop -- it is a poll
    await delay(50);
  }
}

describe('wrangler login', () => {
  it('signs in with a token of an account; whoami, deploy and logout follow', { timeout: 120_000 }, async () => {
    await runIsola(platform, ['account', 'create', 'acme', '--name', 'Acme Ltd']);
    const { stdout: token } = await runIsola(platform, ['token', 'create', 'anna', '--account', 'acme']);

    const login = platform.spawnWrangler('examples/hello', ['login', '--browser=false'], { env });
    const url = await until(() => /http:\S+\/oauth\/authorize\?\S+/.exec(login.output())?.[0]);
    const { consent, location } = await signIn(url, token);
    assert.match(consent, /account <strong>acme<\/strong>/);
    assert.match(consent, /<li><code>workers:write<\/code>/);
    assert.doesNotMatch(consent, /admin/);
    const callback = await fetch(location, { redirect: 'manual' });
    assert.equal(callback.status, 307);
    assert.equal(await login.exited, 0, login.output());
    assert.match(login.output(), /Successfully logged in/);

    const whoami = await platform.wrangler('examples/hello', ['whoami'], { env });
    assert.match(whoami, /OAuth Token/);
    assert.match(whoami, /Acme Ltd/);
    assert.doesNotMatch(whoami, /ERROR|missing some expected/);

    await platform.wrangler('examples/hello', ['deploy'], { env });
    assert.equal((await platform.request('hello', '/', { account: 'acme' })).status, 200);

    assert.match(await platform.wrangler('examples/hello', ['logout'], { env }), /Successfully logged out/);
    await assert.rejects(platform.wrangler('examples/hello', ['deploy'], { env: { ...env, CI: 'true' } }));
    const { stdout: audit } = await runIsola(platform, ['audit', '--account', 'acme']);
    assert.match(audit, /anna[^\n]+oauth\.allow +wrangler/);
    assert.match(audit, /anna[^\n]+oauth\.revoke +wrangler/);
    assert.match(audit, /anna \(wrangler\)[^\n]+scripts/);
  });
});
