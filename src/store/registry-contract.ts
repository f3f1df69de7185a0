import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ErrorName } from '../errors.ts';
import type { AccountId, Sha256, VersionId, WorkerName } from '../ids.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { Route } from '../model.ts';
import type { CreateVersionOptions, Cursor, DeploymentDraft, Registry, RouteEvent, VersionDraft } from './registry.ts';

const MAIN = 'main' as AccountId;
const OTHER = 'other' as AccountId;
const HELLO = 'hello' as WorkerName;
const NOW = '2026-11-21T12:00:00.000Z';
const LATER = '2026-11-21T12:00:01.000Z';

/** The tests that every Registry adapter passes. `open` gives an empty one. */
export function registryContract(name: string, open: () => Registry): void {
  const withRegistry = async (test: (registry: Registry) => Promise<void>): Promise<void> => {
    await using registry = open();
    await registry.putAccount({ id: MAIN, name: 'Main', createdOn: NOW });
    await registry.putAccount({ id: OTHER, name: 'Other', createdOn: NOW });
    await test(registry);
  };

  describe(`${name} keeps the Registry contract`, () => {
    describe('accounts', () => {
      it('putAccount() makes an account and renames it, keeping when it was made and its limits', () =>
        withRegistry(async (registry) => {
          await registry.setAccountLimits(MAIN, { cpuMs: 10 });
          const renamed = await registry.putAccount({ id: MAIN, name: 'New', createdOn: LATER });
          assert.deepEqual(renamed, {
            id: MAIN,
            name: 'New',
            createdOn: NOW,
            status: 'active',
            limits: { cpuMs: 10 },
            settings: {},
          });
          assert.deepEqual(await registry.account(MAIN), renamed);
          assert.equal(await registry.account('nobody' as AccountId), undefined);
        }));

      it('listAccounts() pages and counts all', () =>
        withRegistry(async (registry) => {
          const { accounts, total } = await registry.listAccounts({ offset: 1, limit: 1 });
          assert.deepEqual([accounts.map(({ id }) => id), total], [[OTHER], 2]);
        }));

      it('setAccountStatus() is kept, and withdrawnAccounts() tells who must not serve', () =>
        withRegistry(async (registry) => {
          assert.equal((await registry.setAccountStatus(OTHER, 'suspended')).status, 'suspended');
          assert.equal((await registry.account(OTHER))?.status, 'suspended');
          assert.deepEqual(await registry.withdrawnAccounts(), [{ id: OTHER, status: 'suspended' }]);
          await registry.setAccountStatus(OTHER, 'active');
          assert.deepEqual(await registry.withdrawnAccounts(), []);
          await rejectsAs('notFound', registry.setAccountStatus('nobody' as AccountId, 'active'));
        }));

      it('deleteAccount() leaves nothing to be found, and takes nothing of others', () =>
        withRegistry(async (registry) => {
          const draft = makeDraft();
          await registry.createVersion(draft, makeDeployed());
          const others = makeDraft({ account: OTHER });
          await registry.createVersion(others, makeDeployed());
          const before = await registry.cursor();
          assert.deepEqual(await registry.deleteAccount(MAIN), [HELLO]);
          assert.equal(await registry.account(MAIN), undefined);
          assert.equal(await registry.worker(MAIN, HELLO), undefined);
          assert.equal(await registry.versionById(draft.spec.id), undefined);
          assert.equal(await registry.route(MAIN, HELLO), undefined);
          assert.deepEqual(
            (await registry.listAccounts()).accounts.map(({ id }) => id),
            [OTHER],
          );
          assert.ok((await registry.cursor()).revision > before.revision);
          assert.notEqual(await registry.route(OTHER, HELLO), undefined);
          await rejectsAs('notFound', registry.createVersion(makeDraft(), makeWorker()));
          await rejectsAs('notFound', registry.deleteAccount(MAIN));
        }));

      it('deleteAccount() keeps the id taken until forgetAccount()', () =>
        withRegistry(async (registry) => {
          const again = { id: MAIN, name: 'Again', createdOn: LATER };
          await registry.setAccountLimits(MAIN, { cpuMs: 10 });
          await registry.deleteAccount(MAIN);
          assert.deepEqual(await registry.withdrawnAccounts(), [{ id: MAIN, status: 'deleting' }]);
          await rejectsAs('overloaded', registry.putAccount(again));
          await registry.forgetAccount(MAIN);
          assert.deepEqual(await registry.withdrawnAccounts(), []);
          assert.deepEqual(await registry.putAccount(again), { ...again, status: 'active', limits: {}, settings: {} });
          await registry.forgetAccount(MAIN);
          assert.notEqual(await registry.account(MAIN), undefined);
        }));

      it('seedAccount() makes an account only where there never was one', async () => {
        await using registry = open();
        const account = { id: MAIN, name: 'Main', createdOn: NOW };
        await registry.seedAccount(account);
        await registry.seedAccount({ ...account, name: 'Again' });
        assert.equal((await registry.account(MAIN))?.name, 'Main');
        await registry.deleteAccount(MAIN);
        await registry.forgetAccount(MAIN);
        await registry.seedAccount(account);
        assert.equal(await registry.account(MAIN), undefined);
      });

      it('seedAccount() makes none beside others', () =>
        withRegistry(async (registry) => {
          await registry.seedAccount({ id: 'first' as AccountId, name: 'First', createdOn: NOW });
          assert.equal((await registry.listAccounts()).total, 2);
        }));

      it('setAccountSettings() replaces what it names and keeps the rest, until the account is deleted', () =>
        withRegistry(async (registry) => {
          await registry.setAccountSettings(MAIN, { egressAllow: ['a.test'], egressDeny: ['b.test'] });
          await registry.setAccountSettings(MAIN, { egressAllow: undefined });
          const { settings } = await registry.setAccountSettings(MAIN, { egressDeny: ['*.c.test'] });
          assert.deepEqual(settings, { egressDeny: ['*.c.test'] });
          assert.deepEqual((await registry.account(MAIN))?.settings, settings);
          assert.deepEqual((await registry.account(OTHER))?.settings, {});
          assert.deepEqual(await registry.accountsWithSettings(), [{ id: MAIN, settings }]);
          await rejectsAs('notFound', registry.setAccountSettings('nobody' as AccountId, {}));
          await registry.deleteAccount(MAIN);
          await registry.forgetAccount(MAIN);
          const again = await registry.putAccount({ id: MAIN, name: 'Again', createdOn: LATER });
          assert.deepEqual(again.settings, {});
          assert.deepEqual(await registry.accountsWithSettings(), []);
        }));

      it('setAccountLimits() of an unknown account rejects', () =>
        withRegistry(async (registry) => {
          await rejectsAs('notFound', registry.setAccountLimits('nobody' as AccountId, {}));
        }));
    });

    describe('versions', () => {
      it('createVersion() gives back what was put, numbered from 1', () =>
        withRegistry(async (registry) => {
          const draft = makeDraft();
          const { version, deployed } = await registry.createVersion(draft, makeWorker());
          assert.equal(deployed, undefined);
          assert.deepEqual(version, {
            ...draft,
            number: 1,
            spec: { ...draft.spec, limits: DEFAULT_LIMITS },
          });
          assert.deepEqual(await registry.versionById(draft.spec.id), version);
          assert.deepEqual(await registry.version(MAIN, HELLO, draft.spec.id), version);
          const second = await registry.createVersion(makeDraft());
          assert.equal(second.version.number, 2);
        }));

      it('listVersions() is newest first and pages', () =>
        withRegistry(async (registry) => {
          for (let i = 0; i < 4; i += 1) await registry.createVersion(makeDraft(), makeWorker());
          const numbers = async (page?: object): Promise<number[]> =>
            (await registry.listVersions(MAIN, HELLO, page)).map(({ number }) => number);
          assert.deepEqual(await numbers(), [4, 3, 2, 1]);
          assert.deepEqual(await numbers({ offset: 1, limit: 2 }), [3, 2]);
        }));

      it('createVersion() makes no Worker unless asked to, and none in an unknown account', () =>
        withRegistry(async (registry) => {
          await rejectsAs('workerNotFound', registry.createVersion(makeDraft()));
          const stray = makeDraft({ account: 'nobody' as AccountId });
          await rejectsAs('notFound', registry.createVersion(stray, makeWorker()));
          assert.equal((await registry.listWorkers(MAIN)).total, 0);
        }));

      it('a version of one account is not found through another', () =>
        withRegistry(async (registry) => {
          const { version } = await registry.createVersion(makeDraft(), makeWorker());
          await registry.createVersion(makeDraft({ account: OTHER }), makeWorker());
          assert.equal(await registry.version(OTHER, HELLO, version.spec.id), undefined);
          await rejectsAs('versionNotFound', registry.deploy(OTHER, HELLO, makeDeployment(version.spec.id)));
        }));

      it('a failed createVersion() leaves nothing', () =>
        withRegistry(async (registry) => {
          const draft = makeDraft();
          await registry.createVersion(draft, makeWorker());
          const other = 'other-worker' as WorkerName;
          const sameId = { ...draft, spec: { ...draft.spec, worker: other } };
          await assert.rejects(registry.createVersion(sameId, makeWorker()));
          assert.equal(await registry.worker(MAIN, other), undefined);
        }));

      it('limits apply in the order defaults, account, version, Worker', () =>
        withRegistry(async (registry) => {
          const draft = { ...makeDraft(), limits: { cpuMs: 20 } };
          await registry.createVersion(draft, makeWorker());
          const limits = async (): Promise<unknown> => (await registry.versionById(draft.spec.id))?.spec.limits;
          assert.deepEqual(await limits(), { ...DEFAULT_LIMITS, cpuMs: 20 });
          await registry.setAccountLimits(MAIN, { cpuMs: 10, memoryMiB: 64 });
          assert.deepEqual(await limits(), { ...DEFAULT_LIMITS, cpuMs: 20, memoryMiB: 64 });
          await registry.updateWorker(MAIN, HELLO, { limits: { cpuMs: 5 }, modifiedOn: LATER });
          assert.deepEqual(await limits(), { ...DEFAULT_LIMITS, cpuMs: 5, memoryMiB: 64 });
        }));
    });

    describe('deployments', () => {
      it('createVersion({ deploy }) serves the new version at once', () =>
        withRegistry(async (registry) => {
          const draft = makeDraft();
          const { deployed } = await registry.createVersion(draft, makeDeployed());
          const route = { account: MAIN, worker: HELLO, shares: [{ version: draft.spec.id, percentage: 100 }] };
          assert.deepEqual(deployed?.route, route);
          assert.deepEqual(await registry.route(MAIN, HELLO), deployed);
          assert.deepEqual(await collect(registry.routes()), [route]);
        }));

      it('a route tells of the static files of its versions', () =>
        withRegistry(async (registry) => {
          const plain = makeDraft();
          await registry.createVersion(plain, makeDeployed());
          const base = makeDraft();
          const assets = { manifest: 'ab'.repeat(32) as Sha256, only: true } as const;
          const draft = { ...base, spec: { ...base.spec, assets } };
          const { deployed } = await registry.createVersion(draft, makeDeployed());
          assert.deepEqual(deployed?.route.shares, [{ version: draft.spec.id, percentage: 100, assets }]);
          const shares = [
            { version: plain.spec.id, percentage: 50 },
            { version: draft.spec.id, percentage: 50 },
          ];
          const { route } = await registry.deploy(MAIN, HELLO, { ...makeDeployment(plain.spec.id), shares });
          assert.deepEqual(route.shares, [shares[0], { ...shares[1], assets }]);
          const [newest] = await registry.listDeployments(MAIN, HELLO);
          assert.deepEqual(newest?.shares, shares);
        }));

      it('deploy() splits traffic, raises the revision and is listed newest first', () =>
        withRegistry(async (registry) => {
          const first = makeDraft();
          const { deployed } = await registry.createVersion(first, makeDeployed());
          const second = makeDraft();
          await registry.createVersion(second);
          const split: DeploymentDraft = {
            ...makeDeployment(first.spec.id),
            shares: [
              { version: first.spec.id, percentage: 33.34 },
              { version: second.spec.id, percentage: 66.66 },
            ],
          };
          const { route, revision } = await registry.deploy(MAIN, HELLO, split);
          assert.deepEqual(route.shares, split.shares);
          assert.ok(revision > deployed!.revision);
          const [newest, oldest] = await registry.listDeployments(MAIN, HELLO);
          assert.deepEqual(newest, split);
          assert.deepEqual(oldest?.shares, [{ version: first.spec.id, percentage: 100 }]);
        }));

      it('deploy() refuses versions it does not have and shares that do not add up, changing nothing', () =>
        withRegistry(async (registry) => {
          const { spec } = makeDraft();
          const { deployed } = await registry.createVersion({ ...makeDraft(), spec }, makeDeployed());
          const deploy = (shares: DeploymentDraft['shares']): Promise<unknown> =>
            registry.deploy(MAIN, HELLO, { ...makeDeployment(spec.id), shares });
          await rejectsAs('versionNotFound', deploy([{ version: randomUUID() as VersionId, percentage: 100 }]));
          await rejectsAs('badRequest', deploy([]));
          await rejectsAs('badRequest', deploy([{ version: spec.id, percentage: 99 }]));
          await rejectsAs('badRequest', deploy([{ version: spec.id, percentage: Number.NaN }]));
          const half = { version: spec.id, percentage: 50 };
          await rejectsAs('badRequest', deploy([half, half]));
          await rejectsAs('workerNotFound', registry.deploy(MAIN, 'no' as WorkerName, makeDeployment(spec.id)));
          assert.deepEqual(await registry.route(MAIN, HELLO), deployed);
          assert.equal((await registry.listDeployments(MAIN, HELLO)).length, 1);
        }));

      it('deployMany() deploys each item', () =>
        withRegistry(async (registry) => {
          const items = Array.from({ length: 25 }, (_, i) => ({
            draft: makeDraft({ worker: `bulk-${i}` as WorkerName }),
            options: makeDeployed(),
          }));
          const states = await registry.deployMany(items);
          const routes = await collect(registry.routes());
          assert.equal(routes.length, 25);
          assert.deepEqual(new Set(routes.map(toKey)), new Set(states.map(({ route }) => toKey(route))));
        }));
    });

    describe('workers', () => {
      it('updateWorker() changes what it is given and keeps the rest', () =>
        withRegistry(async (registry) => {
          await registry.createVersion(makeDraft(), makeWorker());
          await registry.updateWorker(MAIN, HELLO, { settings: { tags: ['a'] }, modifiedOn: LATER });
          const record = await registry.updateWorker(MAIN, HELLO, {
            settings: { observability: { enabled: true } },
            modifiedOn: LATER,
          });
          assert.deepEqual(record, {
            account: MAIN,
            name: HELLO,
            tag: 'worker-tag',
            createdOn: NOW,
            modifiedOn: LATER,
            settings: {
              subdomainEnabled: true,
              previewsEnabled: false,
              tags: ['a'],
              observability: { enabled: true },
            },
            limits: {},
          });
        }));

      it('switching the default URL off hides the route, and a later deployment stays hidden', () =>
        withRegistry(async (registry) => {
          const draft = makeDraft();
          const { deployed } = await registry.createVersion(draft, makeDeployed());
          const off = { settings: { subdomainEnabled: false }, modifiedOn: LATER };
          await registry.updateWorker(MAIN, HELLO, off);
          const hidden = await registry.route(MAIN, HELLO);
          assert.equal(hidden?.route.hidden, true);
          assert.ok(hidden.revision > deployed!.revision);
          await registry.updateWorker(MAIN, HELLO, off);
          assert.equal((await registry.route(MAIN, HELLO))?.revision, hidden.revision);
          const again = await registry.deploy(MAIN, HELLO, makeDeployment(draft.spec.id));
          assert.equal(again.route.hidden, true);
        }));

      it('deleteWorker() takes versions, deployments and route away; the name starts anew', () =>
        withRegistry(async (registry) => {
          const draft = makeDraft();
          await registry.createVersion(draft, makeDeployed());
          await registry.deleteWorker(MAIN, HELLO);
          assert.equal(await registry.worker(MAIN, HELLO), undefined);
          assert.equal(await registry.versionById(draft.spec.id), undefined);
          assert.equal(await registry.route(MAIN, HELLO), undefined);
          assert.deepEqual(await collect(registry.routes()), []);
          await rejectsAs('workerNotFound', registry.listVersions(MAIN, HELLO));
          await rejectsAs('workerNotFound', registry.deleteWorker(MAIN, HELLO));
          const { version } = await registry.createVersion(makeDraft(), makeDeployed());
          assert.equal(version.number, 1);
          assert.equal((await registry.listDeployments(MAIN, HELLO)).length, 1);
        }));

      it('listWorkers() shows one account only', () =>
        withRegistry(async (registry) => {
          await registry.createVersion(makeDraft(), makeWorker());
          assert.deepEqual((await registry.listWorkers(MAIN)).workers.map(toName), [HELLO]);
          assert.deepEqual(await registry.listWorkers(OTHER), { workers: [], total: 0 });
        }));
    });

    describe('the feed of routes', () => {
      it('watch() begins with a reset and everything, then gives changes as they happen', () =>
        withRegistry(async (registry) => {
          await registry.createVersion(makeDraft(), makeDeployed());
          const feed = follow(registry);
          assert.deepEqual(await feed.untilSynced(), ['reset', 'put main/hello']);
          await registry.createVersion(makeDraft({ account: OTHER }), makeDeployed());
          assert.deepEqual(await feed.untilSynced(), ['put other/hello']);
          await registry.deleteWorker(MAIN, HELLO);
          assert.deepEqual(await feed.untilSynced(), ['delete main/hello']);
          await feed.stop();
        }));

      it('watch({ from }) resumes: only what changed since, deletions too', () =>
        withRegistry(async (registry) => {
          await registry.createVersion(makeDraft(), makeDeployed());
          await registry.createVersion(makeDraft({ worker: 'kept' as WorkerName }), makeDeployed());
          const from = await registry.cursor();
          await registry.deleteWorker(MAIN, HELLO);
          await registry.createVersion(makeDraft({ worker: 'new' as WorkerName }), makeDeployed());
          const feed = follow(registry, from);
          assert.deepEqual(await feed.untilSynced(), ['delete main/hello', 'put main/new']);
          assert.deepEqual(feed.cursor, await registry.cursor());
          await feed.stop();
        }));

      it('watch({ from }) of another epoch, or ahead of the registry, resets', () =>
        withRegistry(async (registry) => {
          await registry.createVersion(makeDraft(), makeDeployed());
          const { epoch, revision } = await registry.cursor();
          for (const from of [
            { epoch: 'another', revision },
            { epoch, revision: revision + 1 },
          ]) {
            const feed = follow(registry, from);
            assert.deepEqual(await feed.untilSynced(), ['reset', 'put main/hello']);
            await feed.stop();
          }
        }));

      it('compact() forgets tombstones: who stands before it gets a reset, who stands after does not', () =>
        withRegistry(async (registry) => {
          await registry.createVersion(makeDraft(), makeDeployed());
          const before = await registry.cursor();
          await registry.createVersion(makeDraft({ worker: 'kept' as WorkerName }), makeDeployed());
          const { revision } = await registry.deleteWorker(MAIN, HELLO);
          await registry.compact(revision);
          const late = follow(registry, before);
          assert.deepEqual(await late.untilSynced(), ['reset', 'put main/kept']);
          assert.deepEqual(late.cursor, await registry.cursor());
          await late.stop();
          const current = follow(registry, await registry.cursor());
          assert.deepEqual(await current.untilSynced(), []);
          await current.stop();
        }));

      it('watch() misses nothing while writes go on', () =>
        withRegistry(async (registry) => {
          const feed = follow(registry);
          await feed.untilSynced();
          const names = Array.from({ length: 60 }, (_, i) => `w${i}` as WorkerName);
          const writing = (async () => {
            for (const worker of names) await registry.createVersion(makeDraft({ worker }), makeDeployed());
          })();
          const seen = new Set<string>();
          while (seen.size < names.length) for (const line of await feed.untilSynced()) seen.add(line);
          await writing;
          assert.deepEqual(seen, new Set(names.map((worker) => `put main/${worker}`)));
          await feed.stop();
        }));

      it('watch() ends when the signal aborts and when the registry closes', () =>
        withRegistry(async (registry) => {
          const aborted = follow(registry);
          await aborted.untilSynced();
          await aborted.stop();
          const open = follow(registry);
          await open.untilSynced();
          await registry.close();
          assert.equal(await open.next(), undefined);
        }));
    });
  });
}

interface Feed {
  cursor: Cursor | undefined;
  /** The events up to the next `synced`, in short. */
  untilSynced(): Promise<string[]>;
  next(): Promise<RouteEvent | undefined>;
  /** Aborts and waits for the end. */
  stop(): Promise<void>;
}

function follow(registry: Registry, from?: Cursor): Feed {
  const controller = new AbortController();
  const { signal } = controller;
  const events = registry.watch(from === undefined ? { signal } : { from, signal })[Symbol.asyncIterator]();
  const feed: Feed = {
    cursor: undefined,
    next: async () => {
      const { value, done } = await events.next();
      return done === true ? undefined : value;
    },
    untilSynced: async () => {
      const lines: string[] = [];
      for (;;) {
        const event = await feed.next();
        assert.ok(event !== undefined, 'the feed ended');
        if (event.type === 'synced') {
          feed.cursor = event.cursor;
          return lines;
        }
        if (event.type === 'reset') lines.push('reset');
        else if (event.type === 'put') lines.push(`put ${toKey(event.route)}`);
        else lines.push(`delete ${toKey(event)}`);
      }
    },
    stop: async () => {
      controller.abort();
      while ((await feed.next()) !== undefined);
    },
  };
  return feed;
}

function makeDraft({ account = MAIN, worker = HELLO } = {}): VersionDraft {
  return {
    spec: {
      id: randomUUID() as VersionId,
      account,
      worker,
      tag: 'v1',
      createdOn: NOW,
      mainModule: 'index.js',
      bindings: [{ type: 'json', name: 'CONF', json: { a: [1, null] } }],
      compatibilityDate: '2026-01-01',
      compatibilityFlags: ['nodejs_compat'],
    },
    limits: {},
    modules: [{ name: 'index.js', kind: 'esm', sha256: 'a'.repeat(64) as Sha256, bytes: 12 }],
    sourceMaps: [],
    annotations: { 'workers/message': 'über' },
    startupMs: 7,
    handlers: ['fetch'],
    etag: 'etag',
    source: 'wrangler',
  };
}

function makeWorker(): CreateVersionOptions {
  return { createWorker: { tag: 'worker-tag', subdomainEnabled: true } };
}

function makeDeployed(): Required<CreateVersionOptions> {
  return {
    createWorker: { tag: 'worker-tag', subdomainEnabled: true },
    deploy: { id: randomUUID(), annotations: {}, source: 'api', createdOn: NOW },
  };
}

function makeDeployment(version: VersionId): DeploymentDraft {
  return {
    id: randomUUID(),
    shares: [{ version, percentage: 100 }],
    annotations: { 'workers/message': 'again' },
    source: 'wrangler',
    createdOn: LATER,
  };
}

function toKey({ account, worker }: Pick<Route, 'account' | 'worker'>): string {
  return `${account}/${worker}`;
}

function toName({ name }: { name: WorkerName }): WorkerName {
  return name;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function rejectsAs(kind: ErrorName, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, { name: 'PlatformError', kind });
}
