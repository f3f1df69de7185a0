import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openTestControl, TOKEN } from './testing.ts';

const SCRIPT = '/workers/scripts/hello';

describe('settings', () => {
  it('keep tags and observability, whatever the content type', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    const response = await control.app.inject({
      method: 'PATCH',
      url: `/client/v4/accounts/main${SCRIPT}/script-settings`,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'text/plain;charset=UTF-8' },
      payload: '{"observability":{"enabled":true,"head_sampling_rate":0.5},"tags":["a"]}',
    });
    assert.equal(response.statusCode, 200);
    const { result } = await control.request('GET', `${SCRIPT}/script-settings`);
    assert.deepEqual(result, {
      tags: ['a'],
      observability: { enabled: true, head_sampling_rate: 0.5 },
      logpush: false,
      tail_consumers: [],
    });
    for (const body of [{ logpush: true }, { tail_consumers: [{ service: 'x' }] }]) {
      assert.equal((await control.request('PATCH', `${SCRIPT}/script-settings`, body)).errors[0]?.code, 10300);
    }
  });

  it('show the newest bindings, and are 10007 for an unknown Worker', async () => {
    await using control = await openTestControl();
    for (const path of ['settings', 'script-settings', 'secrets', 'subdomain', 'deployments', 'references']) {
      assert.equal((await control.request('GET', `${SCRIPT}/${path}`)).errors[0]?.code, 10007, path);
    }
    const bindings = [{ name: 'A', type: 'plain_text', text: 'a' }];
    await control.upload(SCRIPT, { metadata: { main_module: 'index.js', bindings } });
    assert.deepEqual((await control.request('GET', `${SCRIPT}/settings`)).result.bindings, bindings);
    assert.deepEqual((await control.request('GET', `${SCRIPT}/secrets`)).result, []);
    assert.deepEqual((await control.request('GET', `${SCRIPT}/references`)).result.services.incoming, []);
  });

  it('say where the Worker answers', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    assert.deepEqual((await control.request('GET', '/workers/subdomain')).result, { subdomain: 'main' });
    assert.deepEqual((await control.request('GET', '/workers/workers/hello')).result.subdomain, {
      enabled: true,
      previews_enabled: false,
      url: 'http://hello.main.apps.test:8787',
      preview_url_suffix: '-hello.main.apps.test:8787',
    });
    assert.deepEqual((await control.request('GET', `${SCRIPT}/subdomain`)).result, {
      enabled: true,
      previews_enabled: false,
    });
    assert.equal((await control.request('POST', `${SCRIPT}/subdomain`, { enabled: 'yes' })).status, 400);
  });
});
