import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { Registry, VersionDraft } from './registry.ts';
import { type DataKeyId, type SecretKeys, StaleKeyError, type WrappedKey } from './secret-keys.ts';

const MAIN = 'main' as AccountId;
const OTHER = 'other' as AccountId;
const HELLO = 'hello' as WorkerName;
const MASTER = 'master-1';
const NOW = '2026-11-21T12:00:00.000Z';

interface Stores {
  readonly registry: Registry;
  readonly secretKeys: SecretKeys;
  close(this: void): Promise<void>;
}

/** The tests that every adapter of SecretKeys passes, with the Registry beside it. `open` gives empty ones. */
export function secretKeysContract(name: string, open: () => Stores): void {
  const withStores = async (test: (keys: SecretKeys, registry: Registry) => Promise<void>): Promise<void> => {
    const { registry, secretKeys, close } = open();
    try {
      for (const id of [MAIN, OTHER]) await registry.putAccount({ id, name: id, createdOn: NOW });
      await secretKeys.rewrap(MASTER, ({ wrapped }) => wrapped);
      await test(secretKeys, registry);
    } finally {
      await close();
    }
  };

  describe(`${name} keeps the SecretKeys contract`, () => {
    it('ensure() stores one key for an account and generation, and gives that back from then on', () =>
      withStores(async (keys) => {
        assert.equal(await keys.current(MAIN), undefined);
        const first = makeKey();
        assert.deepEqual(await keys.ensure(first, MASTER), first);
        assert.deepEqual(await keys.ensure(makeKey(), MASTER), first);
        assert.deepEqual(await keys.current(MAIN), first);
        assert.deepEqual(await keys.find(first.id), first);
        assert.equal(await keys.current(OTHER), undefined);
      }));

    it('ensure() refuses a key wrapped with another master key, and one of no account', () =>
      withStores(async (keys) => {
        await assert.rejects(keys.ensure(makeKey(), 'master-2'), StaleKeyError);
        await assert.rejects(keys.ensure(makeKey('nobody' as AccountId), MASTER), { kind: 'notFound' });
        assert.equal(await keys.current(MAIN), undefined);
      }));

    it('nextGeneration() makes what is sealed outdated until it is sealed again', () =>
      withStores(async (keys, registry) => {
        const old = await keys.ensure(makeKey(), MASTER);
        const draft = makeDraft(old.id);
        await createVersion(registry, draft);
        assert.equal(await keys.countOutdated(), 0);
        assert.equal(await keys.nextGeneration(), (await keys.state()).generation);
        assert.deepEqual(await keys.listOutdated(10), [
          { id: draft.spec.id, account: MAIN, worker: HELLO, secretsKey: old.id, bindings: draft.spec.bindings },
        ]);
        assert.equal(await keys.dropOutdated(), 0, 'its key is in use');

        const next = await keys.ensure(makeKey(), MASTER);
        const bindings = [{ type: 'secret_text', name: 'A', sealed: 'again' }] as const;
        await keys.reseal([{ id: draft.spec.id, from: old.id, to: next.id, bindings }]);
        const { secretsKey, spec } = (await registry.versionById(draft.spec.id))!;
        assert.deepEqual([secretsKey, spec.bindings, spec.mainModule], [next.id, bindings, 'index.js']);
        assert.equal(await keys.countOutdated(), 0);
        assert.equal(await keys.dropOutdated(), 1);
        assert.equal(await keys.find(old.id), undefined);
        assert.deepEqual(await keys.find(next.id), next);
      }));

    it('reseal() leaves a version alone that has another key by now, or is gone', () =>
      withStores(async (keys, registry) => {
        const key = await keys.ensure(makeKey(), MASTER);
        const draft = makeDraft(key.id);
        await createVersion(registry, draft);
        await keys.reseal([
          { id: draft.spec.id, from: randomUUID() as string as DataKeyId, to: key.id, bindings: [] },
          { id: randomUUID() as string as VersionId, from: key.id, to: key.id, bindings: [] },
        ]);
        assert.deepEqual((await registry.versionById(draft.spec.id))?.spec.bindings, draft.spec.bindings);
      }));

    it('createVersion() refuses a draft sealed with a key that is gone, or of another account', () =>
      withStores(async (keys, registry) => {
        const foreign = await keys.ensure(makeKey(OTHER), MASTER);
        for (const id of [foreign.id, randomUUID() as string as DataKeyId]) {
          await assert.rejects(createVersion(registry, makeDraft(id)), StaleKeyError);
        }
        assert.equal(await registry.worker(MAIN, HELLO), undefined);
      }));

    it('rewrap() wraps every key and names the master key, or changes nothing', () =>
      withStores(async (keys) => {
        const [a, b] = [await keys.ensure(makeKey(), MASTER), await keys.ensure(makeKey(OTHER), MASTER)];
        let count = 0;
        const failing = keys.rewrap('master-2', ({ wrapped }) => {
          if (count++ === 1) throw new RangeError('no');
          return `${wrapped}!`;
        });
        await assert.rejects(failing, RangeError);
        assert.deepEqual([await keys.find(a.id), (await keys.state()).masterKeyId], [a, MASTER]);
        await keys.rewrap('master-2', ({ wrapped }) => `${wrapped}!`);
        assert.deepEqual(await keys.find(b.id), { ...b, wrapped: `${b.wrapped}!` });
        assert.equal((await keys.state()).masterKeyId, 'master-2');
      }));

    it('deleteAccount() takes the keys of an account away', () =>
      withStores(async (keys, registry) => {
        const [a, b] = [await keys.ensure(makeKey(), MASTER), await keys.ensure(makeKey(OTHER), MASTER)];
        await createVersion(registry, makeDraft(a.id));
        await registry.deleteAccount(MAIN);
        assert.equal(await keys.find(a.id), undefined);
        assert.deepEqual(await keys.find(b.id), b);
      }));
  });
}

function makeKey(account = MAIN): WrappedKey {
  const id = randomUUID() as string as DataKeyId;
  return { id, account, wrapped: `wrapped ${id}` };
}

async function createVersion(registry: Registry, draft: VersionDraft): Promise<void> {
  await registry.createVersion(draft, { createWorker: { tag: 'x', subdomainEnabled: true } });
}

function makeDraft(secretsKey: DataKeyId): VersionDraft {
  return {
    spec: {
      id: randomUUID() as string as VersionId,
      account: MAIN,
      worker: HELLO,
      tag: '',
      createdOn: NOW,
      mainModule: 'index.js',
      bindings: [{ type: 'secret_text', name: 'A', sealed: 'sealed' }],
      compatibilityDate: '2026-01-01',
      compatibilityFlags: [],
    },
    secretsKey,
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
