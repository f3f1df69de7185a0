import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('examples/kv', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    await platform.deploy('examples/kv');
  });
  after(() => platform.stop());

  it('keeps notes, with their type and when they go', async () => {
    const put = { method: 'PUT', headers: { 'content-type': 'text/markdown' }, body: '# ü' };
    assert.equal((await platform.request('kv', '/a%20note?days=1', put)).status, 204);
    const got = await platform.request('kv', '/a%20note');
    assert.deepEqual([got.text, got.headers['content-type']], ['# ü', 'text/markdown']);
    const { notes } = JSON.parse((await platform.request('kv', '/?prefix=a')).text) as {
      notes: Record<string, unknown>[];
    };
    assert.deepEqual([notes.length, notes[0]?.['name'], notes[0]?.['type']], [1, 'a note', 'text/markdown']);
    assert.ok(Number(notes[0]?.['expiration']) > Date.now() / 1000 + 86_000);
    assert.equal((await platform.request('kv', '/a%20note', { method: 'DELETE' })).status, 204);
    assert.equal((await platform.request('kv', '/a%20note')).status, 404);
  });

  it('keeps them when the platform is killed', async () => {
    await platform.request('kv', '/kept', { method: 'PUT', body: 'here' });
    await platform.restart('SIGKILL');
    assert.equal((await platform.request('kv', '/kept')).text, 'here');
  });
});
