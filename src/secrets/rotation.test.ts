import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { type Registry, StaleKeyError, type VersionDraft } from '../store/index.ts';
import { openSqliteStores } from '../store/sqlite/index.ts';
import { openVersion } from './open-version.ts';
import { Rotation, type RotationProgress } from './rotation.ts';
import { openTestVault } from './testing.ts';
import { type Vault, withFreshKeys } from './vault.ts';

const MAIN = 'main' as AccountId;
const HELLO = 'hello' as WorkerName;

async function open(versions: number) {
  const { registry, secretKeys: keys, close } = openSqliteStores(':memory:');
  await registry.putAccount({ id: MAIN, name: 'Main', createdOn: new Date(0).toISOString() });
  const vault = await openTestVault(keys);
  const errors: string[] = [];
  const newRotation = (): Rotation =>
    new Rotation({ keys, vault, now: Date.now, onError: (message) => errors.push(message) });
  const ids: VersionId[] = [];
  for (let i = 0; i < versions; i++) ids.push(await store({ registry, vault }, `value ${i}`));
  return { registry, keys, vault, errors, newRotation, ids, [Symbol.asyncDispose]: close };
}

async function store(deps: { registry: Registry; vault: Vault }, text: string): Promise<VersionId> {
  return await withFreshKeys(
    async () => (await deps.registry.createVersion(await draft(deps, text), CREATE)).version.spec.id,
  );
}

const CREATE = { createWorker: { tag: 'x', subdomainEnabled: true } };

async function draft({ vault }: { vault: Vault }, text: string): Promise<VersionDraft> {
  const owner = { account: MAIN, worker: HELLO };
  const { bindings, secretsKey } = await vault.seal(owner, [{ type: 'secret_text', name: 'A', text }]);
  return {
    spec: {
      ...owner,
      id: randomUUID() as string as VersionId,
      tag: '',
      createdOn: new Date(0).toISOString(),
      mainModule: 'index.js',
      bindings,
      compatibilityDate: '2026-01-01',
      compatibilityFlags: [],
    },
    secretsKey: secretsKey!,
    limits: {},
    modules: [],
    sourceMaps: [],
    annotations: {},
    startupMs: 0,
    handlers: [],
    etag: '',
    source: 'api',
  };
}

async function ended(rotation: Rotation): Promise<RotationProgress> {
  while (rotation.progress.state === 'running') await nextTurn();
  return rotation.progress;
}

describe('Rotation', () => {
  it('seals everything with a new key and forgets the old one', async () => {
    await using test = await open(120);
    assert.equal(await test.keys.countOutdated(), 0);
    const before = await test.registry.versionById(test.ids[0]!);
    const rotation = test.newRotation();
    assert.equal((await rotation.start()).total, 120);
    const progress = await ended(rotation);
    assert.deepEqual([progress.state, progress.done, progress.unreadable], ['done', 120, []]);
    assert.equal(await test.keys.find(before!.secretsKey!), undefined);
    for (const [i, id] of test.ids.entries()) {
      const version = await openVersion(test, id);
      assert.deepEqual(version?.spec.bindings, [{ type: 'secret_text', name: 'A', text: `value ${i}` }]);
    }
    assert.notDeepEqual((await test.registry.versionById(test.ids[0]!))?.spec.bindings, before?.spec.bindings);
  });

  it('goes on after a restart where it was', async () => {
    await using test = await open(120);
    const first = test.newRotation();
    await first.start();
    await first.close();
    const left = await test.keys.countOutdated();
    assert.ok(left > 0 && left < 120, String(left));
    const second = test.newRotation();
    await second.resume();
    assert.deepEqual([(await ended(second)).done, await test.keys.countOutdated()], [left, 0]);
  });

  it('loses no upload that goes on at the same time, also one sealed before it began', async () => {
    await using test = await open(60);
    const sealedBefore = await draft(test, 'early');
    const rotation = test.newRotation();
    await rotation.start();
    const during = await Promise.all(Array.from({ length: 20 }, (_, i) => store(test, `during ${i}`)));
    await ended(rotation);
    // Its key is gone: the registry refuses it, and whoever stores it seals again.
    await assert.rejects(test.registry.createVersion(sealedBefore, CREATE), StaleKeyError);
    for (const id of [...test.ids, ...during]) await openVersion(test, id);
    assert.equal(await test.keys.countOutdated(), 0);
  });

  it('leaves what does not open as it is, names it, and ends', async () => {
    await using test = await open(3);
    const broken = test.ids[1]!;
    const { secretsKey } = (await test.registry.versionById(broken))!;
    const bindings = [{ type: 'secret_text', name: 'A', sealed: 'AAAA' }] as const;
    await test.keys.reseal([{ id: broken, from: secretsKey!, to: secretsKey!, bindings }]);
    const rotation = test.newRotation();
    await rotation.start();
    const progress = await ended(rotation);
    assert.deepEqual([progress.state, progress.unreadable, test.errors.length], ['done', [broken], 1]);
    assert.notEqual(await test.keys.find(secretsKey!), undefined, 'its key is still there');
  });
});
