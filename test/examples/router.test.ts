import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('examples/router', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await platform.deploy('examples/router');
  });
  after(() => platform.stop());

  it('shows the vars of wrangler.jsonc, text and number', async () => {
    const { status, headers, text } = await platform.request('router', '/');
    assert.equal(status, 200);
    assert.match(headers['content-type'] ?? '', /^application\/json/);
    assert.deepEqual(JSON.parse(text), { name: 'isola example API', maxTextLength: 10_000 });
  });

  it('takes a parameter from the path', async () => {
    const { text } = await platform.request('router', '/temperature/100');
    assert.deepEqual(JSON.parse(text), { celsius: 100, fahrenheit: 212, kelvin: 373.15 });
  });

  it('answers 400 to a parameter that is no number', async () => {
    const { status, text } = await platform.request('router', '/temperature/warm');
    assert.equal(status, 400);
    assert.deepEqual(JSON.parse(text), { error: 'Not a number: warm' });
  });

  it('reads a JSON body', async () => {
    const body = JSON.stringify({ text: 'Eins zwei eins' });
    const { status, text } = await platform.request('router', '/words', { method: 'POST', body });
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(text), { counts: { eins: 2, zwei: 1 } });
  });

  it('takes a text at the limit, and answers 413 to one past it', async () => {
    const send = (length: number) =>
      platform.request('router', '/words', { method: 'POST', body: JSON.stringify({ text: 'a'.repeat(length) }) });
    assert.equal((await send(10_000)).status, 200);
    assert.equal((await send(10_001)).status, 413);
  });

  it('passes request headers on', async () => {
    const { text } = await platform.request('router', '/headers', { headers: { 'X-Custom': 'yes' } });
    const headers = JSON.parse(text) as Record<string, string>;
    assert.equal(headers['x-custom'], 'yes');
  });

  it('answers 404 to an unknown path, and 405 with Allow to a wrong method', async () => {
    assert.equal((await platform.request('router', '/nowhere')).status, 404);
    const { status, headers } = await platform.request('router', '/words');
    assert.equal(status, 405);
    assert.equal(headers.allow, 'POST');
  });
});
