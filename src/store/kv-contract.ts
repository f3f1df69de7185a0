import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import { MAX_KV_NAMESPACES } from '../limits.ts';
import type { KvAddress, KvStore } from './kv.ts';

const A = 'a' as AccountId;
const B = 'b' as AccountId;
const OF_A: KvAddress = { account: A, namespace: 'n1' };
const OF_B: KvAddress = { account: B, namespace: 'n1' };
const ALL = { maxBytes: 1_000_000 };

/** The tests that every KvStore adapter passes. `open` gives an empty one. */
export function kvStoreContract(name: string, open: (now: () => number) => Promise<KvStore>): void {
  const withStore = async (
    test: (store: KvStore, setSeconds: (at: number) => void) => Promise<void>,
  ): Promise<void> => {
    let now = 1_000_000;
    await using store = await open(() => now);
    await store.createNamespace(A, { id: 'n1', title: 'First' });
    await test(store, (seconds) => {
      now = seconds * 1000;
    });
  };
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  const put = (store: KvStore, ...keys: string[]): Promise<void> =>
    store.put(
      OF_A,
      keys.map((key) => ({ key, value: bytes(`value of ${key}`) })),
    );
  const get = async (store: KvStore, key: string, address = OF_A): Promise<string | undefined> => {
    const { entries } = await store.read(address, [key], ALL);
    return entries?.[0] && Buffer.from(entries[0].value).toString();
  };
  const keysOf = async (store: KvStore, range: { prefix?: string; after?: string; limit?: number } = {}) => {
    const { keys, more } = await store.list(OF_A, { prefix: '', limit: 100, ...range });
    return [keys.map(({ key }) => key).join(' '), more];
  };
  const rejects = (promise: Promise<unknown>, kind: string): Promise<void> => assert.rejects(promise, { kind });

  describe(`${name} keeps the KvStore contract`, () => {
    it('createNamespace() refuses a title that the account has, and not that of another', () =>
      withStore(async (store) => {
        await rejects(store.createNamespace(A, { id: 'n2', title: 'First' }), 'kvNamespaceExists');
        await store.createNamespace(B, { id: 'n3', title: 'First' });
        assert.deepEqual(await store.namespace(OF_A), { id: 'n1', title: 'First' });
        assert.equal(await store.namespace(OF_B), undefined);
      }));

    it('createNamespace() refuses one beyond MAX_KV_NAMESPACES', () =>
      withStore(async (store) => {
        const more = Array.from({ length: MAX_KV_NAMESPACES - 1 }, (_, i) => ({ id: `x${i}`, title: `x${i}` }));
        await Promise.all(more.map((namespace) => store.createNamespace(A, namespace)));
        await rejects(store.createNamespace(A, { id: 'one', title: 'too many' }), 'kvLimit');
        assert.equal((await store.listNamespaces(A, { offset: 0, limit: 1 })).total, MAX_KV_NAMESPACES);
      }));

    it('listNamespaces() goes by title, a page at a time', () =>
      withStore(async (store) => {
        await store.createNamespace(A, { id: 'n2', title: 'Another' });
        const page = await store.listNamespaces(A, { offset: 1, limit: 5 });
        assert.deepEqual(page, { namespaces: [{ id: 'n1', title: 'First' }], total: 2 });
      }));

    it('renameNamespace() keeps what is in it, and refuses the title of another', () =>
      withStore(async (store) => {
        await put(store, 'k');
        await store.createNamespace(A, { id: 'n2', title: 'Second' });
        await rejects(store.renameNamespace(OF_A, 'Second'), 'kvNamespaceExists');
        await store.renameNamespace(OF_A, 'First'); // its own
        await store.renameNamespace(OF_A, 'New');
        assert.equal((await store.namespace(OF_A))?.title, 'New');
        assert.equal(await get(store, 'k'), 'value of k');
      }));

    it('deleteNamespace() takes all that is in it along', () =>
      withStore(async (store) => {
        await put(store, 'k');
        await store.deleteNamespace(OF_A);
        await rejects(store.read(OF_A, ['k'], ALL), 'kvNamespaceNotFound');
        await store.createNamespace(A, { id: 'n2', title: 'First' });
        const page = await store.list({ account: A, namespace: 'n2' }, { prefix: '', limit: 10 });
        assert.deepEqual(page, { keys: [], more: false });
      }));

    it('finds nothing of a namespace for another account', () =>
      withStore(async (store) => {
        await put(store, 'k');
        await rejects(store.read(OF_B, ['k'], ALL), 'kvNamespaceNotFound');
        await rejects(store.put(OF_B, [{ key: 'k', value: bytes('x') }]), 'kvNamespaceNotFound');
        await rejects(store.delete(OF_B, ['k']), 'kvNamespaceNotFound');
        await rejects(store.list(OF_B, { prefix: '', limit: 1 }), 'kvNamespaceNotFound');
        await rejects(store.renameNamespace(OF_B, 'mine'), 'kvNamespaceNotFound');
        await rejects(store.deleteNamespace(OF_B), 'kvNamespaceNotFound');
        assert.equal(await get(store, 'k'), 'value of k');
      }));

    it('put() replaces value, metadata and expiration', () =>
      withStore(async (store) => {
        await store.put(OF_A, [{ key: 'k', value: bytes('1'), metadata: '{"a":1}', expiresAt: 2_000 }]);
        const first = await store.read(OF_A, ['k'], ALL);
        assert.deepEqual(
          { ...first.entries?.[0], value: undefined },
          { key: 'k', metadata: '{"a":1}', expiresAt: 2_000, value: undefined },
        );
        await put(store, 'k');
        const { entries } = await store.read(OF_A, ['k', 'absent'], ALL);
        assert.deepEqual(Object.keys(entries![0]!).toSorted(), ['key', 'value']);
        assert.equal(entries![1], undefined);
      }));

    it('keeps bytes as they are, and none at all', () =>
      withStore(async (store) => {
        const value = Uint8Array.from({ length: 256 }, (_, i) => i);
        await store.put(OF_A, [
          { key: 'all', value: Buffer.concat([value, value]).subarray(256) },
          { key: 'none', value: new Uint8Array(0) },
        ]);
        const { entries } = await store.read(OF_A, ['all', 'none'], ALL);
        assert.deepEqual(new Uint8Array(entries![0]!.value), value);
        assert.equal(entries![1]!.value.byteLength, 0);
      }));

    it('what has expired is neither read nor listed', () =>
      withStore(async (store, setSeconds) => {
        await store.put(OF_A, [
          { key: 'a', value: bytes('1'), expiresAt: 2_000 },
          { key: 'b', value: bytes('2'), expiresAt: 2_001 },
        ]);
        setSeconds(2_000);
        assert.equal(await get(store, 'a'), undefined);
        assert.equal(await get(store, 'b'), '2');
        assert.deepEqual(await keysOf(store), ['b', false]);
      }));

    it('read() says how much there is when it is more than was allowed', () =>
      withStore(async (store) => {
        await store.put(OF_A, [{ key: 'k', value: new Uint8Array(100) }]);
        assert.deepEqual(await store.read(OF_A, ['k'], { maxBytes: 100 }), { tooLarge: 101 });
        assert.equal((await store.read(OF_A, ['k'], { maxBytes: 101 })).entries?.length, 1);
      }));

    it('delete() removes several, and what is not there', () =>
      withStore(async (store) => {
        await put(store, 'a', 'b', 'c');
        await store.delete(OF_A, ['a', 'c', 'absent']);
        assert.deepEqual(await keysOf(store), ['b', false]);
      }));

    it('list() goes by UTF-8 bytes, by prefix, a page at a time', () =>
      withStore(async (store) => {
        await put(store, 'b', 'a', 'a:2', 'a:1', '\u{1F600}', '\uFFFD', 'a;');
        assert.deepEqual(await keysOf(store), ['a a:1 a:2 a; b \uFFFD \u{1F600}', false]);
        assert.deepEqual(await keysOf(store, { prefix: 'a:' }), ['a:1 a:2', false]);
        assert.deepEqual(await keysOf(store, { limit: 2 }), ['a a:1', true]);
        assert.deepEqual(await keysOf(store, { limit: 2, after: 'a:1' }), ['a:2 a;', true]);
        assert.deepEqual(await keysOf(store, { prefix: 'a', after: 'a;' }), ['', false]);
        assert.deepEqual(await keysOf(store, { prefix: '\u{1F600}' }), ['\u{1F600}', false]);
      }));

    it('deleteAccount() removes all of it, and nothing of others', () =>
      withStore(async (store) => {
        await put(store, 'k');
        await store.createNamespace(B, { id: 'n2', title: 'B' });
        await store.deleteAccount(A);
        await store.deleteAccount(A);
        assert.equal(await store.namespace(OF_A), undefined);
        assert.equal((await store.namespace({ account: B, namespace: 'n2' }))?.title, 'B');
      }));
  });
}
