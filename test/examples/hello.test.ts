import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('examples/hello', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
  });
  after(() => platform.stop());

  it('is a 404 before it is deployed, and greets at once after', async () => {
    assert.equal((await platform.request('hello', '/')).status, 404);
    const output = await platform.deploy('examples/hello');
    assert.match(output, /Current Version ID: [0-9a-f-]{36}/);
    const { status, text } = await platform.request('hello', '/');
    assert.equal(status, 200);
    assert.equal(text, 'Hello World!\n');
  });

  it('reads the query', async () => {
    const { text } = await platform.request('hello', '/?name=Gr%C3%BCn');
    assert.equal(text, 'Hello Grün!\n');
  });
});
