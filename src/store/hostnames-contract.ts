import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { MAX_ROUTES, MAX_ZONES } from '../limits.ts';
import type { HostRuleDraft, Hostnames } from './hostnames.ts';
import type { Previews } from './previews.ts';
import type { Registry, VersionDraft } from './registry.ts';

const MAIN = 'main' as AccountId;
const OTHER = 'other' as AccountId;
const HELLO = 'hello' as WorkerName;
const NOW = '2026-11-21T12:00:00.000Z';

interface Stores {
  readonly registry: Registry;
  readonly hostnames: Hostnames;
  readonly previews: Previews;
  close(): Promise<void>;
}

/** The tests that every adapter of Hostnames and Previews passes, which share Workers and accounts. */
export function hostnamesContract(name: string, open: () => Stores): void {
  const withStores = async (test: (stores: Stores) => Promise<void>): Promise<void> => {
    const stores = open();
    try {
      for (const id of [MAIN, OTHER]) {
        await stores.registry.putAccount({ id, name: id, createdOn: NOW });
        for (const worker of ['hello', 'second']) await makeVersion(stores.registry, { account: id, worker });
      }
      await test(stores);
    } finally {
      await stores.close();
    }
  };
  const prove = (hostnames: Hostnames, account: AccountId, zone: string) =>
    hostnames.proveZone({ account, name: zone, proof: 'dns', provenOn: NOW });

  describe(`${name} keeps the Hostnames contract`, () => {
    it('a proven zone holds what is below it, for one account only', () =>
      withStores(async ({ hostnames }) => {
        assert.equal(await hostnames.zoneOf('a.example.com'), undefined);
        await prove(hostnames, MAIN, 'example.com');
        assert.equal((await hostnames.zoneOf('b.a.example.com'))?.account, MAIN);
        assert.equal((await hostnames.zoneOf('example.com'))?.name, 'example.com');
        assert.equal(await hostnames.zoneOf('myexample.com'), undefined);
        for (const overlap of ['example.com', 'a.example.com', 'com']) {
          assert.equal(await hostnames.isTaken(overlap, OTHER), true, overlap);
          assert.equal(await hostnames.isTaken(overlap, MAIN), false, overlap);
          await assert.rejects(prove(hostnames, OTHER, overlap), { kind: 'hostnameTaken' }, overlap);
        }
        await prove(hostnames, OTHER, 'myexample.com');
        await prove(hostnames, MAIN, 'a.example.com');
      }));

    it('lists what is proven and what has been asked for, and forgets the question with the proof', () =>
      withStores(async ({ hostnames }) => {
        await hostnames.claimZone(MAIN, 'b.test');
        await hostnames.claimZone(MAIN, 'a.test');
        await hostnames.claimZone(OTHER, 'a.test');
        await prove(hostnames, MAIN, 'b.test');
        const listed = await hostnames.zones(MAIN);
        assert.deepEqual(
          listed.map((zone) => [zone.name, zone.proof]),
          [
            ['a.test', undefined],
            ['b.test', 'dns'],
          ],
        );
        await hostnames.deleteZone(MAIN, 'a.test', { force: false });
        assert.equal((await hostnames.zones(OTHER)).length, 1);
        await assert.rejects(hostnames.deleteZone(MAIN, 'a.test', { force: false }), { kind: 'notFound' });
      }));

    it(`an account has ${MAX_ZONES} zones`, () =>
      withStores(async ({ hostnames }) => {
        for (let n = 0; n < MAX_ZONES; n++) await hostnames.claimZone(MAIN, `z${n}.test`);
        await assert.rejects(hostnames.claimZone(MAIN, 'more.test'), /limit is 500/);
        await assert.rejects(prove(hostnames, MAIN, 'more.test'), /limit is 500/);
        assert.equal(await hostnames.zoneOf('more.test'), undefined);
        await prove(hostnames, MAIN, 'z1.test');
      }));

    it('rules need a zone of the account; replacing them gives what changed', () =>
      withStores(async ({ hostnames }) => {
        const key = { account: MAIN, worker: HELLO, kind: 'route' } as const;
        await assert.rejects(hostnames.replaceRules(key, [makeRule({})]), { kind: 'hostnameUnproven' });
        await prove(hostnames, MAIN, 'example.com');
        const one = makeRule({ id: 'one' });
        const two = makeRule({ id: 'two', host: 'a.example.com' });
        assert.deepEqual((await hostnames.replaceRules(key, [one, two])).remove, []);
        const change = await hostnames.replaceRules(key, [two]);
        assert.deepEqual([change.set.map(({ id }) => id), change.remove], [['two'], ['one']]);
        assert.deepEqual(
          (await hostnames.rules(MAIN, HELLO)).map(({ id }) => id),
          ['two'],
        );
        await hostnames.replaceRules(key, [makeRule({ id: 'own', host: 'x.main.apps.test', isOwn: true })]);
        await assert.rejects(hostnames.replaceRules({ ...key, account: OTHER }, [makeRule({ account: OTHER })]), {
          kind: 'hostnameTaken',
        });
        await assert.rejects(hostnames.putRule(makeRule({ worker: 'nobody' as WorkerName })), {
          kind: 'workerNotFound',
        });
      }));

    it('a rule of another Worker is taken over only when asked to', () =>
      withStores(async ({ hostnames }) => {
        await prove(hostnames, MAIN, 'example.com');
        await hostnames.putRule(makeRule({ kind: 'domain' }));
        const second = makeRule({ kind: 'domain', worker: 'second' as WorkerName });
        const key = { account: MAIN, worker: 'second' as WorkerName, kind: 'domain' } as const;
        await assert.rejects(hostnames.replaceRules(key, [second]), /it leads to 'hello'/);
        await hostnames.replaceRules(key, [second], { takeOver: true });
        assert.deepEqual(await hostnames.rules(MAIN, HELLO), []);
        await assert.rejects(hostnames.deleteRule(OTHER, second.id), { kind: 'notFound' });
        assert.deepEqual(await hostnames.deleteRule(MAIN, second.id), { set: [], remove: [second.id] });
      }));

    it(`an account has ${MAX_ROUTES} rules`, () =>
      withStores(async ({ hostnames }) => {
        await prove(hostnames, MAIN, 'example.com');
        const key = { account: MAIN, worker: HELLO, kind: 'route' } as const;
        const rules = Array.from({ length: MAX_ROUTES + 1 }, (_, n) => makeRule({ id: `r${n}`, path: `/${n}` }));
        await assert.rejects(hostnames.replaceRules(key, rules), /limit is 1000/);
        assert.deepEqual(await hostnames.rules(MAIN), []);
        await hostnames.replaceRules(key, rules.slice(1));
      }));

    it('a zone goes with its rules only when forced, and keeps those that another zone holds', () =>
      withStores(async ({ hostnames }) => {
        await prove(hostnames, MAIN, 'example.com');
        await prove(hostnames, MAIN, 'a.example.com');
        await hostnames.putRule(makeRule({ id: 'top' }));
        await hostnames.putRule(makeRule({ id: 'low', host: 'x.a.example.com' }));
        await hostnames.deleteZone(MAIN, 'a.example.com', { force: false });
        await assert.rejects(hostnames.deleteZone(MAIN, 'example.com', { force: false }), /2 routes are in it/);
        const { remove } = await hostnames.deleteZone(MAIN, 'example.com', { force: true });
        assert.deepEqual(new Set(remove), new Set(['top', 'low']));
        assert.deepEqual(await hostnames.allRules(), []);
      }));

    it('rules go with their Worker, everything with its account', () =>
      withStores(async ({ hostnames, registry }) => {
        await prove(hostnames, MAIN, 'example.com');
        await hostnames.putRule(makeRule({ id: 'a' }));
        await hostnames.putRule(makeRule({ id: 'b', worker: null, path: '/b' }));
        await registry.deleteWorker(MAIN, HELLO);
        assert.deepEqual(
          (await hostnames.allRules()).map(({ id }) => id),
          ['b'],
        );
        await registry.deleteAccount(MAIN);
        assert.deepEqual(await hostnames.allRules(), []);
        await prove(hostnames, OTHER, 'example.com');
      }));

    it('serving() tells names from wildcards', () =>
      withStores(async ({ hostnames }) => {
        await prove(hostnames, MAIN, 'example.com');
        await hostnames.putRule(makeRule({ id: 'a', host: 'www.example.com' }));
        await hostnames.putRule(makeRule({ id: 'b', wildcard: 'subdomains', path: '/b' }));
        await hostnames.putRule(makeRule({ id: 'c', host: 'none.example.com', worker: null, path: '/c' }));
        assert.equal(await hostnames.serving('www.example.com'), 'named');
        assert.equal(await hostnames.serving('none.example.com'), 'wildcard');
        assert.equal(await hostnames.serving('a.b.example.com'), 'wildcard');
        assert.equal(await hostnames.serving('example.com'), undefined);
      }));

    it('challengeSecret() stays the same', () =>
      withStores(async ({ hostnames }) => {
        assert.match(await hostnames.challengeSecret(), /^[0-9a-f]{64}$/);
        assert.equal(await hostnames.challengeSecret(), await hostnames.challengeSecret());
      }));
  });

  describe(`${name} keeps the Previews contract`, () => {
    it('lists versions newest first, and the newest of each alias, where previews are on', () =>
      withStores(async ({ registry, previews }) => {
        const [one, two, three] = [
          await makeVersion(registry, { alias: 'staging' }),
          await makeVersion(registry, { alias: 'other' }),
          await makeVersion(registry, { alias: 'staging' }),
        ];
        const none = { versions: [], aliases: [], assets: [] };
        assert.deepEqual(await previews.list(MAIN, HELLO), none);
        await registry.updateWorker(MAIN, HELLO, { settings: { previewsEnabled: true }, modifiedOn: NOW });
        assert.equal((await registry.route(MAIN, HELLO))?.route.previews, true);
        const { versions, aliases } = await previews.list(MAIN, HELLO);
        assert.deepEqual(versions.slice(0, 3), [three, two, one]);
        assert.deepEqual(Object.fromEntries(aliases), { other: two, staging: three });
        assert.deepEqual(await previews.list(OTHER, HELLO), none);
        assert.deepEqual(await previews.list(MAIN, 'nobody' as WorkerName), none);
      }));
  });
}

function makeRule(given: Partial<HostRuleDraft>): HostRuleDraft {
  return {
    id: 'rule',
    account: MAIN,
    worker: HELLO,
    kind: 'route',
    host: 'example.com',
    wildcard: 'none',
    path: '/',
    isPrefix: true,
    pattern: 'example.com/*',
    createdOn: NOW,
    isOwn: false,
    ...given,
  };
}

async function makeVersion(
  registry: Registry,
  { account = MAIN, worker = 'hello', alias }: { account?: AccountId; worker?: string; alias?: string },
): Promise<VersionId> {
  const id = crypto.randomUUID() as VersionId;
  const draft: VersionDraft = {
    spec: {
      id,
      account,
      worker: worker as WorkerName,
      tag: '',
      createdOn: NOW,
      mainModule: 'index.js',
      bindings: [],
      compatibilityDate: '2026-01-01',
      compatibilityFlags: [],
    },
    limits: {},
    modules: [],
    sourceMaps: [],
    annotations: alias === undefined ? {} : { 'workers/alias': alias },
    startupMs: 1,
    handlers: ['fetch'],
    etag: '',
    source: 'api',
  };
  await registry.createVersion(draft, {
    createWorker: { tag: 't', subdomainEnabled: true },
    deploy: { id: crypto.randomUUID(), annotations: {}, source: 'api', createdOn: NOW },
  });
  return id;
}
