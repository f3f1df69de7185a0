import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import type { Binding } from '../model.ts';
import { StaleKeyError } from '../store/index.ts';
import { openSqliteStores } from '../store/sqlite/index.ts';
import { UnsealError } from './seal.ts';
import { createTestMasterKey, openTestVault } from './testing.ts';
import { type SecretOwner, Vault, withFreshKeys } from './vault.ts';

const OWNER: SecretOwner = { account: 'main' as AccountId, worker: 'hello' as WorkerName };
const BINDINGS: readonly Binding[] = [
  { type: 'secret_text', name: 'A', text: 'canary ä' },
  { type: 'plain_text', name: 'MODE', text: 'test' },
  { type: 'secret_text', name: 'B', text: '' },
];

async function open() {
  const stores = openSqliteStores(':memory:');
  for (const id of ['main', 'other'] as AccountId[]) {
    await stores.registry.putAccount({ id, name: id, createdOn: new Date(0).toISOString() });
  }
  const master = createTestMasterKey();
  const vault = await openTestVault(stores.secretKeys, master);
  return { keys: stores.secretKeys, master, vault, [Symbol.asyncDispose]: () => stores.close() };
}

describe('Vault', () => {
  it('opens what it sealed, and leaves other bindings alone', async () => {
    await using test = await open();
    const sealed = await test.vault.seal(OWNER, BINDINGS);
    assert.doesNotMatch(JSON.stringify(sealed), /canary/);
    assert.deepEqual(sealed.bindings[1], BINDINGS[1]);
    assert.deepEqual(await test.vault.open(OWNER, sealed), BINDINGS);
    assert.deepEqual(await new Vault(test.keys, test.master).open(OWNER, sealed), BINDINGS, 'after a restart too');
  });

  it('makes no key for a Worker without secrets', async () => {
    await using test = await open();
    const plain = BINDINGS.slice(1, 2);
    assert.deepEqual(await test.vault.seal(OWNER, plain), { bindings: plain });
    assert.equal(await test.keys.current(OWNER.account), undefined);
  });

  it('opens a secret for its account, Worker and name only', async () => {
    await using test = await open();
    const { bindings, secretsKey } = await test.vault.seal(OWNER, BINDINGS);
    const renamed = bindings.map((binding) => (binding.name === 'A' ? { ...binding, name: 'C' } : binding));
    await assert.rejects(test.vault.open(OWNER, { bindings: renamed, secretsKey }), UnsealError);
    for (const thief of [
      { ...OWNER, worker: 'thief' as WorkerName },
      { ...OWNER, account: 'other' as AccountId },
    ]) {
      await assert.rejects(test.vault.open(thief, { bindings, secretsKey }), UnsealError);
    }
  });

  it('has a key for each account, also when many are sealed for at once', async () => {
    await using test = await open();
    const owners = [OWNER, { ...OWNER, account: 'other' as AccountId }];
    const sealed = await Promise.all(Array.from({ length: 50 }, (_, i) => test.vault.seal(owners[i % 2]!, BINDINGS)));
    const keys = sealed.map(({ secretsKey }) => secretsKey);
    assert.equal(new Set(keys).size, 2);
    assert.notEqual(keys[0], keys[1]);
  });

  it('is told that a key is gone, so that it can be tried again', async () => {
    await using test = await open();
    const sealed = await test.vault.seal(OWNER, BINDINGS);
    await test.keys.nextGeneration();
    await test.keys.dropOutdated();
    await assert.rejects(new Vault(test.keys, test.master).open(OWNER, sealed), StaleKeyError);
  });

  it('replaceMaster() goes over to another master key while secrets are sealed and opened', async () => {
    await using test = await open();
    const before = await test.vault.seal(OWNER, BINDINGS);
    const next = createTestMasterKey();
    const [, ...sealed] = await Promise.all([
      test.vault.replaceMaster(next),
      ...Array.from({ length: 20 }, (_, i) => {
        const owner = i % 2 === 0 ? OWNER : { ...OWNER, account: 'other' as AccountId };
        return withFreshKeys(() => test.vault.seal(owner, BINDINGS));
      }),
    ]);
    assert.equal((await test.keys.state()).masterKeyId, next.id);
    const reopened = new Vault(test.keys, next);
    for (const value of [before, sealed[0]!]) assert.deepEqual(await reopened.open(OWNER, value), BINDINGS);
    await assert.rejects(new Vault(test.keys, test.master).open(OWNER, before), UnsealError);
  });

  it('fingerprint() tells contents apart, also where they are joined otherwise, and is of this master key', async () => {
    await using test = await open();
    const { vault } = test;
    assert.equal(vault.fingerprint(['a', 'bc']), vault.fingerprint(['a', Buffer.from('bc')]));
    assert.notEqual(vault.fingerprint(['a', 'bc']), vault.fingerprint(['ab', 'c']));
    await vault.replaceMaster(createTestMasterKey());
    assert.notEqual(vault.fingerprint(['a']), new Vault(test.keys, test.master).fingerprint(['a']));
  });
});

describe('withFreshKeys', () => {
  it('tries again after a stale key, a few times, and passes on everything else', async () => {
    let count = 0;
    const attempt = (failures: number) => async () => {
      if (count++ < failures) throw new StaleKeyError('gone');
      return count;
    };
    assert.equal(await withFreshKeys(attempt(2)), 3);
    count = 0;
    await assert.rejects(withFreshKeys(attempt(100)), StaleKeyError);
    await assert.rejects(
      withFreshKeys(async () => {
        throw new RangeError('x');
      }),
      RangeError,
    );
  });
});
