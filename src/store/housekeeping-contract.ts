import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { AccountId, Sha256, VersionId, WorkerName } from '../ids.ts';
import type { ModuleRef } from '../model.ts';
import type { AssetIndex } from './asset-index.ts';
import type { Housekeeping, TrimCursor, VersionQuota } from './housekeeping.ts';
import type { Registry, VersionDraft } from './registry.ts';

const MAIN = 'main' as AccountId;
const OTHER = 'other' as AccountId;
const START = Date.parse('2026-11-21T12:00:00.000Z');
const ANY = Infinity;

interface Stores {
  readonly registry: Registry;
  readonly assets: AssetIndex;
  readonly housekeeping: Housekeeping;
  close(this: void): Promise<void>;
}

/** Makes versions and deployments, each a second after the one before. */
class Maker {
  readonly stores: Stores;
  #time = START;

  constructor(stores: Stores) {
    this.stores = stores;
  }

  /** Of modules by their names and sizes: equal names are equal contents. */
  async version(
    modules: Readonly<Record<string, number>> = {},
    { account = MAIN, worker = 'hello', deploy = false, manifest = '' } = {},
  ): Promise<VersionId> {
    const draft = toDraft({ account, worker, modules, manifest, createdOn: this.time() });
    const createWorker = { tag: randomUUID(), subdomainEnabled: true };
    const deployment = { id: randomUUID(), annotations: {}, source: 'api', createdOn: this.time() } as const;
    await this.stores.registry.createVersion(draft, { createWorker, ...(deploy && { deploy: deployment }) });
    return draft.spec.id;
  }

  async deploy(shares: Readonly<Record<string, number>>, worker = 'hello'): Promise<string> {
    const id = randomUUID();
    await this.stores.registry.deploy(MAIN, worker as WorkerName, {
      id,
      shares: Object.entries(shares).map(([version, percentage]) => ({ version: version as VersionId, percentage })),
      annotations: {},
      source: 'api',
      createdOn: this.time(),
    });
    return id;
  }

  time(): string {
    return new Date((this.#time += 1_000)).toISOString();
  }

  /** All that goes. */
  async trim(quota: Partial<VersionQuota>, account = MAIN): Promise<VersionId[]> {
    const gone: VersionId[] = [];
    let from: TrimCursor | undefined;
    do {
      const whole = { versions: ANY, bytes: ANY, ...quota };
      const { removed, next } = await this.stores.housekeeping.trimVersions(account, whole, from);
      gone.push(...removed.map(({ id }) => id));
      from = next;
    } while (from !== undefined);
    return gone;
  }
}

/** The tests that every adapter of Housekeeping passes, with the stores that it looks after. `open` gives empty ones. */
export function housekeepingContract(name: string, open: () => Stores): void {
  const withMaker = async (test: (maker: Maker, housekeeping: Housekeeping) => Promise<void>): Promise<void> => {
    const stores = open();
    try {
      for (const id of [MAIN, OTHER]) {
        await stores.registry.putAccount({ id, name: id, createdOn: new Date(START).toISOString() });
      }
      await test(new Maker(stores), stores.housekeeping);
    } finally {
      await stores.close();
    }
  };

  describe(`${name} keeps the Housekeeping contract`, () => {
    it('usage() counts versions, and bytes of each content once, as they come and go', () =>
      withMaker(async (maker, housekeeping) => {
        const { registry } = maker.stores;
        assert.deepEqual(await housekeeping.usage(MAIN), { versions: 0, bytes: 0 });
        await maker.version({ a: 10, b: 5 });
        await maker.version({ a: 10, c: 1 }, { worker: 'two', manifest: 'm' });
        await maker.version({ a: 10 }, { account: OTHER });
        assert.deepEqual(await housekeeping.usage(MAIN), { versions: 2, bytes: 16 });
        await registry.deleteWorker(MAIN, 'hello' as WorkerName);
        assert.deepEqual(await housekeeping.usage(MAIN), { versions: 1, bytes: 11 });
        await registry.deleteAccount(MAIN);
        assert.deepEqual(await housekeeping.usage(MAIN), { versions: 0, bytes: 0 });
        assert.deepEqual(await housekeeping.usage(OTHER), { versions: 1, bytes: 10 });
      }));

    it('accountsOver() names those past the quota, not those at it', () =>
      withMaker(async (maker, housekeeping) => {
        await maker.version({ a: 10 });
        await maker.version({ b: 10 });
        await maker.version({ a: 10 }, { account: OTHER });
        assert.deepEqual(await housekeeping.accountsOver({ versions: 2, bytes: 20 }), []);
        assert.deepEqual(await housekeeping.accountsOver({ versions: 1, bytes: ANY }), [MAIN]);
        assert.deepEqual(await housekeeping.accountsOver({ versions: ANY, bytes: 19 }), [MAIN]);
        assert.deepEqual(await housekeeping.accountsOver({ versions: ANY, bytes: 9 }), [MAIN, OTHER]);
      }));

    it('trimVersions() takes the oldest of the account past the number, of whatever Worker, and gives no number again', () =>
      withMaker(async (maker) => {
        const { registry } = maker.stores;
        const first = await maker.version({ a: 1 });
        const second = await maker.version({ b: 1 }, { worker: 'two' });
        await maker.version({ c: 1 });
        await maker.version({ d: 1 }, { worker: 'two' });
        const other = await maker.version({ a: 1 }, { account: OTHER });
        await maker.version({ a: 2 }, { account: OTHER });
        assert.deepEqual(await maker.trim({ versions: 4 }), [], 'at the limit');
        assert.deepEqual(await maker.trim({ versions: 3 }), [first]);
        assert.equal(await registry.versionById(first), undefined);
        assert.notEqual(await registry.versionById(second), undefined);
        assert.deepEqual(await maker.trim({ versions: 2 }), [second]);
        assert.notEqual(await registry.versionById(other), undefined);
        const next = await maker.version();
        assert.equal((await registry.versionById(next))?.number, 3);
      }));

    it('trimVersions() takes the oldest past the size', () =>
      withMaker(async (maker) => {
        const ids = [];
        for (const name of ['a', 'b', 'c', 'd']) ids.push(await maker.version({ [name]: 10, shared: 5 }));
        assert.deepEqual(await maker.trim({ bytes: 45 }), [], 'at the limit');
        assert.deepEqual(await maker.trim({ bytes: 44 }), [ids[0]]);
        assert.deepEqual(await maker.trim({ bytes: 1 }), [ids[1], ids[2]], 'never the newest');
      }));

    it('trimVersions() keeps what is deployed, with no traffic too, and goes through more than one batch', () =>
      withMaker(async (maker) => {
        const ids: VersionId[] = [];
        for (let i = 0; i < 250; i++) ids.push(await maker.version({ [`m${i}`]: 1 }));
        await maker.deploy({ [ids[0]!]: 100, [ids[120]!]: 0 });
        const gone = await maker.trim({ versions: 0 });
        const kept = ids.filter((id) => !gone.includes(id));
        assert.deepEqual(kept, [ids[0], ids[120], ids[249]]);
        assert.deepEqual((await maker.stores.registry.route(MAIN, 'hello' as WorkerName))?.route.shares.length, 2);
      }));

    it('trimVersions() keeps what a rollback without an id goes to', () =>
      withMaker(async (maker) => {
        const [old, target, split, current, newest] = [
          await maker.version({}, { deploy: true }),
          await maker.version({}, { deploy: true }),
          await maker.version(),
          await maker.version({}, { deploy: true }),
          await maker.version(),
        ];
        await maker.deploy({ [target]: 50, [split]: 50 });
        await maker.deploy({ [current]: 100 });
        await maker.deploy({ [current]: 100 });
        assert.deepEqual(await maker.trim({ versions: 0 }), [old, split]);
        const left = await maker.stores.registry.listVersions(MAIN, 'hello' as WorkerName);
        assert.deepEqual(
          left.map(({ spec }) => spec.id),
          [newest, current, target],
        );
      }));

    it('trimVersions() takes the earlier deployments of what it takes, and no others', () =>
      withMaker(async (maker) => {
        const a = await maker.version({}, { deploy: true });
        const b = await maker.version();
        const c = await maker.version();
        await maker.deploy({ [a]: 50, [b]: 50 });
        const ofB = await maker.deploy({ [b]: 100 });
        const ofC = await maker.deploy({ [c]: 100 });
        assert.deepEqual(await maker.trim({ versions: 0 }), [a]);
        const deployments = await maker.stores.registry.listDeployments(MAIN, 'hello' as WorkerName);
        assert.deepEqual(
          deployments.map(({ id }) => id),
          [ofC, ofB],
        );
        await maker.deploy({ [b]: 100 });
        assert.equal((await maker.stores.registry.listDeployments(MAIN, 'hello' as WorkerName)).length, 3);
      }));

    it('usedBlobs() knows modules, source maps, manifests and files of every account', () =>
      withMaker(async (maker, housekeeping) => {
        const version = await maker.version({ a: 1 }, { manifest: 'manifest' });
        await maker.version({ b: 1 });
        const upload = { id: 'one', account: OTHER, worker: 'x' as WorkerName, manifest: {}, expiresOn: maker.time() };
        const file = { hash: 'f', sha256: hashOf('file'), bytes: 1, type: null };
        await maker.stores.assets.begin(upload, { missing: new Map([['f', 1]]), now: maker.time() });
        await maker.stores.assets.add(upload, [file], { files: 9, bytes: 9 });
        const asked = ['a', 'a.map', 'manifest', 'file', 'b', 'none'].map(hashOf);
        assert.deepEqual(await housekeeping.usedBlobs(asked), new Set(asked.slice(0, 5)));
        assert.deepEqual(await maker.trim({ versions: 1 }), [version]);
        await maker.stores.assets.deleteAccount(OTHER);
        assert.deepEqual(await housekeeping.usedBlobs(asked), new Set([hashOf('b')]));
        const gone = ['a', 'a.map', 'manifest', 'file'].map(hashOf);
        assert.deepEqual(await housekeeping.looseBlobs({ limit: 10 }), gone.toSorted());
      }));

    it('looseBlobs() goes on behind a hash, until they are settled', () =>
      withMaker(async (maker, housekeeping) => {
        await maker.version({ a: 1, b: 1, c: 1 });
        assert.deepEqual(await housekeeping.looseBlobs({ limit: 10 }), []);
        await maker.stores.registry.deleteWorker(MAIN, 'hello' as WorkerName);
        const all = await housekeeping.looseBlobs({ limit: 10 });
        assert.equal(all.length, 6);
        assert.deepEqual(await housekeeping.looseBlobs({ limit: 2 }), all.slice(0, 2));
        assert.deepEqual(await housekeeping.looseBlobs({ after: all[1], limit: 10 }), all.slice(2));
        await housekeeping.settleBlobs(all.slice(0, 5));
        assert.deepEqual(await housekeeping.looseBlobs({ limit: 10 }), all.slice(5));
      }));
  });
}

function toDraft(of: {
  account: AccountId;
  worker: string;
  modules: Readonly<Record<string, number>>;
  manifest: string;
  createdOn: string;
}): VersionDraft {
  const toRef = (name: string, bytes: number): ModuleRef => ({ name, kind: 'data', sha256: hashOf(name), bytes });
  return {
    spec: {
      id: randomUUID() as string as VersionId,
      account: of.account,
      worker: of.worker as WorkerName,
      tag: '',
      createdOn: of.createdOn,
      mainModule: 'index.js',
      bindings: [],
      compatibilityDate: '2026-01-01',
      compatibilityFlags: [],
      ...(of.manifest !== '' && { assets: { manifest: hashOf(of.manifest) } }),
    },
    limits: {},
    // The second is the same content under another name.
    modules: Object.entries(of.modules).flatMap(([name, bytes]) => [toRef(name, bytes), toRef(name, bytes)]),
    sourceMaps: Object.keys(of.modules).map((name) => toRef(`${name}.map`, 0)),
    annotations: {},
    startupMs: 1,
    handlers: [],
    etag: '',
    source: 'api',
  };
}

function hashOf(name: string): Sha256 {
  return Buffer.from(name).toString('hex').padStart(64, '0') as Sha256;
}
