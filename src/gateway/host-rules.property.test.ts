import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random, RUNS, SEED } from '../guest/testing/random.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { HostRule } from '../model.ts';
import { HostRules } from './host-rules.ts';
import { RouteTable } from './routes.ts';

const TABLES = Math.ceil(RUNS / 60);
const QUERIES = 60; // of each
const HOSTS = ['example.com', 'a.example.com', 'b.a.example.com', 'com', 'other.test', 'x.other.test', 'ample.com'];
const PATHS = ['/', '/a', '/a/', '/a/b', '/a/bc', '/ab', '/b', '/a?q', '/a/b/c/d'];

function toRule(random: Random, id: number): HostRule {
  const scheme = random.pick([undefined, undefined, 'http', 'https'] as const);
  return {
    id: `rule-${id}`,
    account: 'acme' as AccountId,
    worker: random.below(8) === 0 ? null : (`w${id}` as WorkerName),
    kind: random.pick(['route', 'domain']),
    host: random.pick(HOSTS),
    wildcard: random.pick(['none', 'subdomains', 'all']),
    path: random.pick(PATHS),
    isPrefix: random.below(2) === 0,
    ...(scheme !== undefined && { scheme }),
  };
}

function fits(rule: HostRule, host: string, path: string, scheme: string): boolean {
  const isHost = host === rule.host;
  const isBelow = host.endsWith(`.${rule.host}`);
  const hostFits = { none: isHost, subdomains: isBelow, all: isHost || isBelow }[rule.wildcard];
  const pathFits = rule.isPrefix ? path.startsWith(rule.path) : path === rule.path;
  return hostFits && pathFits && (rule.scheme === undefined || rule.scheme === scheme);
}

/** The order of docs/routing.md, word for word. */
function isMoreSpecific(a: HostRule, b: HostRule): number {
  return (
    Number(b.wildcard === 'none') - Number(a.wildcard === 'none') ||
    b.host.split('.').length - a.host.split('.').length ||
    Number(b.wildcard === 'subdomains') - Number(a.wildcard === 'subdomains') ||
    b.path.length - a.path.length ||
    Number(a.isPrefix) - Number(b.isPrefix) ||
    Number(b.scheme !== undefined) - Number(a.scheme !== undefined) ||
    Number(a.kind === 'domain') - Number(b.kind === 'domain') ||
    (a.id < b.id ? -1 : 1)
  );
}

describe('HostRules', () => {
  it('finds what trying every rule and sorting finds, after any additions and removals', () => {
    const random = new Random(SEED);
    for (let table = 0; table < TABLES; table++) {
      const rules = new HostRules();
      const all = new Map<string, HostRule>();
      for (let step = 0; step < 30; step++) {
        const rule = toRule(random, random.below(20));
        if (random.below(4) === 0) {
          rules.remove(rule.id);
          all.delete(rule.id);
        } else {
          rules.set(rule);
          all.set(rule.id, rule);
        }
      }
      assert.equal(rules.size, all.size);
      for (let query = 0; query < QUERIES; query++) {
        const host = random.pick(HOSTS);
        const path = random.pick(PATHS);
        const scheme = random.pick(['http', 'https'] as const);
        const [expected] = [...all.values()].filter((rule) => fits(rule, host, path, scheme)).toSorted(isMoreSpecific);
        const found = rules.levelsOf(host)?.find(path, scheme);
        assert.equal(found?.id, expected?.id, `seed ${SEED}: ${scheme}://${host}${path}`);
      }
    }
  });

  it('clear() leaves nothing', () => {
    const rules = new HostRules();
    rules.set(toRule(new Random(1), 1));
    rules.clear();
    assert.equal(rules.size, 0);
    for (const host of HOSTS) assert.equal(rules.levelsOf(host), undefined);
  });
});

describe('RouteTable with rules', () => {
  const rule = (id: string, worker: string | null, given: Partial<HostRule> = {}): HostRule => ({
    id,
    account: 'acme' as AccountId,
    worker: worker as WorkerName | null,
    kind: 'route',
    host: 'example.com',
    wildcard: 'none',
    path: '/',
    isPrefix: true,
    ...given,
  });
  const tableOf = (...workers: { name: string; hidden?: boolean; previews?: boolean }[]): RouteTable => {
    const table = new RouteTable('apps.test');
    for (const { name, ...flags } of workers) {
      table.set({
        account: 'acme' as AccountId,
        worker: name as WorkerName,
        shares: [{ version: `v-${name}` as VersionId, percentage: 100 }],
        ...flags,
      });
    }
    return table;
  };
  const workerAt = (table: RouteTable, host: string, path = '/'): string => {
    const found = table.resolve(host, path, 'http');
    if (typeof found === 'string') return found;
    return 'otherwise' in found
      ? `previews of ${found.previews.map(({ route }) => route.worker).join()}`
      : found.worker;
  };

  it('serves a hidden Worker by its routes, and not at its default URL', () => {
    const table = tableOf({ name: 'shop', hidden: true });
    table.setRule(rule('r', 'shop', { path: '/api/' }));
    assert.equal(workerAt(table, 'shop.acme.apps.test'), 'unknown-worker');
    assert.equal(workerAt(table, 'EXAMPLE.com:8080', '/api/x'), 'shop');
    assert.equal(workerAt(table, 'example.com.', '/api/x'), 'shop');
    assert.equal(workerAt(table, 'example.com', '/other'), 'unknown-host');
    assert.equal(workerAt(table, 'sub.example.com', '/api/x'), 'unknown-host');
  });

  it('gives paths as the Worker will see them: dot segments get past nothing', () => {
    const table = tableOf({ name: 'site' });
    table.setRule(rule('all', 'site'));
    table.setRule(rule('none', null, { path: '/admin' }));
    for (const path of ['/admin', '/admin/x', '/a/../admin', '/a/%2e%2E/admin', '/./admin', '/a/b/../../admin?x']) {
      assert.equal(workerAt(table, 'example.com', path), 'unknown-worker', path);
    }
    for (const path of ['/', '/adm', '//admin', '/a/..admin'])
      assert.equal(workerAt(table, 'example.com', path), 'site');
  });

  it('lets nothing shadow a Worker at its default URL, and no foreign wildcard reach below the base domain', () => {
    const table = tableOf({ name: 'hello' }, { name: 'catch-all' });
    table.setRule(rule('own', 'catch-all', { host: 'acme.apps.test', wildcard: 'subdomains' }));
    table.setRule(rule('wide', 'catch-all', { host: 'test', wildcard: 'all' }));
    table.setRule(rule('named', 'hello', { host: 'www.acme.apps.test' }));
    assert.equal(workerAt(table, 'hello.acme.apps.test'), 'hello');
    assert.equal(workerAt(table, 'www.acme.apps.test'), 'hello');
    assert.equal(workerAt(table, 'other.acme.apps.test'), 'catch-all');
    assert.equal(workerAt(table, 'x.y.acme.apps.test'), 'catch-all');
    assert.equal(workerAt(table, 'other.umbrella.apps.test'), 'unknown-worker');
    assert.equal(workerAt(table, 'apps.test'), 'catch-all'); // not below it
  });

  it('asks for previews only where a label ends in a Worker that has them, the longest name first', () => {
    const table = tableOf(
      { name: 'b', previews: true },
      { name: 'a-b', previews: true },
      { name: 'x-a-b' },
      { name: 'c' },
    );
    assert.equal(workerAt(table, 'x-a-b.acme.apps.test'), 'x-a-b');
    assert.equal(workerAt(table, 'y-a-b.acme.apps.test'), 'previews of a-b,b');
    assert.equal(workerAt(table, 'y-c.acme.apps.test'), 'unknown-worker');
    assert.equal(workerAt(table, '-b.acme.apps.test'), 'unknown-worker');
    assert.equal(workerAt(table, 'y.z-b.acme.apps.test'), 'unknown-worker');
    assert.equal(workerAt(table, 'y-b.umbrella.apps.test'), 'unknown-worker');
  });

  it('forgets what it kept of a host when rules or Workers change', () => {
    const table = tableOf({ name: 'one' }, { name: 'two' });
    table.setRule(rule('r', 'one'));
    assert.equal(workerAt(table, 'example.com'), 'one');
    table.setRule(rule('r', 'two'));
    assert.equal(workerAt(table, 'example.com'), 'two');
    table.setRule(rule('other', 'one', { path: '/one' }));
    table.remove('acme' as AccountId, 'two' as WorkerName);
    assert.equal(workerAt(table, 'example.com'), 'unknown-host');
    assert.equal(workerAt(table, 'example.com', '/one'), 'one');
    table.removeRule('other');
    assert.equal(workerAt(table, 'example.com'), 'unknown-host');
  });
});
