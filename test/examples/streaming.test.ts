import assert from 'node:assert/strict';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('examples/streaming', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await platform.deploy('examples/streaming');
  });
  after(() => platform.stop());

  it('sends each line as it is made', async () => {
    const response = await platform.open('streaming', '/?from=3');
    const [first] = (await once(response, 'data')) as [Buffer];
    assert.equal(response.complete, false, 'the first line comes before the last is made');
    const rest = await buffer(response);
    assert.equal(first.toString() + rest.toString(), '3\n2\n1\nlift-off\n');
  });

  it('transforms a body on its way, with characters cut at chunk borders', async () => {
    const body = 'Fluß naïve 😀 '.repeat(20_000);
    const { status, text } = await platform.request('streaming', '/upper', { method: 'POST', body });
    assert.equal(status, 200);
    assert.equal(text, body.toUpperCase());
  });
});
