import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('examples/services', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await platform.deploy('examples/services/greeter');
    await platform.deploy('examples/services/storefront');
  });
  after(() => platform.stop());

  it('answers through the service binding', async () => {
    const { status, text } = await platform.request('storefront', '/?name=Ada%20%26%20Co');
    assert.equal(status, 200);
    assert.equal(text, '<h1>Good day, Ada &#38; Co</h1>\n');
  });

  it('follows a new deployment of the bound Worker', async () => {
    await platform.deploy('examples/services/greeter', ['--message', 'again']);
    const { text } = await platform.request('storefront', '/');
    assert.equal(text, '<h1>Good day, customer</h1>\n');
  });
});
