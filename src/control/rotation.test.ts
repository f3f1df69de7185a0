import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { VersionId } from '../ids.ts';
import { openVersion } from '../secrets/index.ts';
import { MAIN, openTestControl, servingVersion, type TestControl } from './testing.ts';

const PATH = '/client/v4/isola/secrets/rotation';
const SCRIPT = '/workers/scripts/hello';

async function ended(control: TestControl) {
  for (;;) {
    const { result } = await control.request('GET', PATH);
    if (result.state !== 'running') return result;
    await nextTurn();
  }
}

async function valuesOf(control: TestControl, id: VersionId | undefined) {
  const version = await openVersion(control, id!);
  return version?.spec.bindings.flatMap((binding) => (binding.type === 'secret_text' ? [binding.text] : []));
}

describe('the rotation of secrets', () => {
  it('is begun and watched by the operator, and is in the audit log', async () => {
    await using control = await openTestControl();
    assert.equal((await control.request('GET', PATH)).result.state, 'idle');
    await control.upload(SCRIPT, {});
    await control.request('PUT', `${SCRIPT}/secrets`, { name: 'A', text: 'one' });
    const before = await control.registry.versionById((await servingVersion(control))!);
    const begun = await control.request('POST', PATH);
    assert.deepEqual([begun.status, begun.result.total], [200, 1]);
    const { state, total, done, unreadable } = await ended(control);
    assert.deepEqual({ state, total, done, unreadable }, { state: 'done', total: 1, done: 1, unreadable: [] });
    const after = await control.registry.versionById(before!.spec.id);
    assert.notEqual(after?.secretsKey, before?.secretsKey);
    assert.deepEqual(await valuesOf(control, after?.spec.id), ['one']);
    const [entry] = await control.audit.list();
    assert.deepEqual([entry?.action, entry?.account, entry?.status], ['secrets.rotate', '*', 200]);
  });

  it('is not for accounts, whatever scopes their tokens have', async () => {
    await using control = await openTestControl();
    const scopes = ['account:read', 'workers:write', 'kv:write', 'tail:read', 'admin'];
    const { result } = await control.request('POST', '/isola/tokens', { name: 'all', scopes });
    for (const method of ['GET', 'POST'] as const) {
      const headers = { authorization: `Bearer ${result.token}` };
      const { statusCode } = await control.app.inject({ method, url: PATH, headers });
      assert.equal(statusCode, 403, method);
    }
    assert.equal((await control.request('GET', PATH)).result.state, 'idle');
  });

  it('loses no secret that is put, and no upload, while it runs', async () => {
    await using control = await openTestControl();
    await control.upload(SCRIPT, {});
    for (let i = 0; i < 70; i++) await control.request('PUT', `${SCRIPT}/secrets`, { name: `S${i % 7}`, text: `${i}` });
    await control.request('POST', PATH);
    const puts = Array.from({ length: 20 }, (_, i) =>
      control.request('PUT', `${SCRIPT}/secrets`, { name: `NEW${i}`, text: `new ${i}` }),
    );
    for (const { status } of await Promise.all(puts)) assert.equal(status, 200);
    assert.equal((await ended(control)).state, 'done');
    const values = await valuesOf(control, await servingVersion(control));
    const expected = [...Array.from({ length: 7 }, (_, i) => `${63 + i}`), ...puts.map((_, i) => `new ${i}`)];
    assert.deepEqual(values?.toSorted(), expected.toSorted());
    for (const { spec } of await control.registry.listVersions(MAIN, 'hello' as never))
      await openVersion(control, spec.id);
    assert.deepEqual(control.logged, []);
  });
});
