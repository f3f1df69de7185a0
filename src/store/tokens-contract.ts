import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import type { Grant, Grants } from './grants.ts';
import type { Registry } from './registry.ts';
import type { TokenDraft, TokenHash, Tokens } from './tokens.ts';

const MAIN = 'main' as AccountId;
const OTHER = 'other' as AccountId;
const NOW = '2026-11-21T12:00:00.000Z';
const LATER = '2026-11-21T12:10:00.000Z';

interface Stores {
  readonly registry: Registry;
  readonly tokens: Tokens;
  readonly grants: Grants;
  close(): Promise<void>;
}

/** The tests that every adapter of Tokens and Grants passes, which share an account's deletion. `open` gives empty ones. */
export function tokensContract(name: string, open: () => Stores): void {
  const withStores = async (test: (stores: Stores) => Promise<void>): Promise<void> => {
    const stores = open();
    try {
      for (const id of [MAIN, OTHER]) await stores.registry.putAccount({ id, name: id, createdOn: NOW });
      await test(stores);
    } finally {
      await stores.close();
    }
  };

  describe(`${name} keeps the Tokens contract`, () => {
    it('find() gives back what was created, by its hash', () =>
      withStores(async ({ tokens }) => {
        const draft = makeDraft({ expiresOn: LATER });
        const hash = makeHash();
        assert.deepEqual(await tokens.create(draft, hash), draft);
        assert.deepEqual(await tokens.find(hash), draft);
        assert.equal(await tokens.find(makeHash()), undefined);
      }));

    it('create() for an unknown account rejects', () =>
      withStores(async ({ tokens }) => {
        const draft = makeDraft({ owner: 'nobody' as AccountId });
        await assert.rejects(tokens.create(draft, makeHash()), { kind: 'notFound' });
        await tokens.create(makeDraft({ owner: '*' }), makeHash());
      }));

    it('list() gives those of one owner or all, and pages', () =>
      withStores(async ({ tokens }) => {
        for (const owner of [MAIN, OTHER, '*'] as const) {
          for (const name of ['b', 'a']) await tokens.create(makeDraft({ owner, name }), makeHash());
        }
        const mains = await tokens.list({ owner: MAIN });
        assert.deepEqual([mains.tokens.map(({ name }) => name), mains.total], [['a', 'b'], 2]);
        const page = await tokens.list({ offset: 1, limit: 2 });
        assert.deepEqual([page.tokens.length, page.total], [2, 6]);
      }));

    it('revoke() ends a token and the grants that stand on it', () =>
      withStores(async ({ tokens, grants }) => {
        const [hash, draft] = [makeHash(), makeDraft()];
        await tokens.create(draft, hash);
        const [mine, others] = [makeGrant({ parent: hash }), makeGrant()];
        await grants.create(mine);
        await grants.create(others);
        assert.deepEqual(await tokens.revoke(draft.id), draft);
        assert.equal(await tokens.find(hash), undefined);
        assert.equal(await grants.findByAccess(mine.access.hash), undefined);
        assert.deepEqual(await grants.findByAccess(others.access.hash), others);
        await assert.rejects(tokens.revoke(draft.id), { kind: 'notFound' });
      }));

    it('revoke() of another owner finds nothing', () =>
      withStores(async ({ tokens }) => {
        const [hash, draft] = [makeHash(), makeDraft({ owner: MAIN })];
        await tokens.create(draft, hash);
        await assert.rejects(tokens.revoke(draft.id, { owner: OTHER }), { kind: 'notFound' });
        assert.deepEqual(await tokens.find(hash), draft);
        await tokens.revoke(draft.id, { owner: MAIN });
      }));

    it('markUsed() shows at once, never goes back, and minds no token that is gone', () =>
      withStores(async ({ tokens }) => {
        const [hash, draft] = [makeHash(), makeDraft()];
        await tokens.create(draft, hash);
        await tokens.markUsed(draft.id, LATER);
        await tokens.markUsed(draft.id, NOW);
        await tokens.markUsed(randomUUID(), NOW);
        assert.equal((await tokens.find(hash))?.lastUsedOn, LATER);
        assert.equal((await tokens.list({ owner: MAIN })).tokens[0]?.lastUsedOn, LATER);
      }));

    it('the deletion of an account takes its tokens and their grants along', () =>
      withStores(async ({ registry, tokens, grants }) => {
        const [mine, others] = [makeHash(), makeHash()];
        await tokens.create(makeDraft(), mine);
        await tokens.create(makeDraft({ owner: OTHER }), others);
        const grant = makeGrant({ parent: mine });
        await grants.create(grant);
        await registry.deleteAccount(MAIN);
        assert.equal(await tokens.find(mine), undefined);
        assert.equal(await grants.findByRefresh(grant.refresh.hash), undefined);
        assert.notEqual(await tokens.find(others), undefined);
      }));
  });

  describe(`${name} keeps the Grants contract`, () => {
    it('finds a grant by either of its tokens', () =>
      withStores(async ({ grants }) => {
        const grant = makeGrant();
        await grants.create(grant);
        assert.deepEqual(await grants.findByAccess(grant.access.hash), grant);
        assert.deepEqual(await grants.findByRefresh(grant.refresh.hash), grant);
        assert.equal(await grants.findByAccess(grant.refresh.hash), undefined);
      }));

    it('rotate() replaces both tokens, once', () =>
      withStores(async ({ grants }) => {
        const grant = makeGrant();
        const next = { access: makeExpiring(), refresh: makeExpiring() };
        await grants.create(grant);
        assert.equal(await grants.rotate(grant.id, grant.refresh.hash, next), true);
        assert.equal(await grants.rotate(grant.id, grant.refresh.hash, next), false);
        assert.equal(await grants.findByAccess(grant.access.hash), undefined);
        assert.equal(await grants.findByRefresh(grant.refresh.hash), undefined);
        assert.deepEqual(await grants.findByRefresh(next.refresh.hash), { ...grant, ...next });
        assert.equal((await grants.findBySpent(grant.refresh.hash))?.id, grant.id);
      }));

    it('revoke() and sweep() forget', () =>
      withStores(async ({ grants }) => {
        const [revoked, expired, good] = [makeGrant(), makeGrant(), makeGrant()];
        for (const grant of [revoked, { ...expired, refresh: { ...expired.refresh, expiresOn: NOW } }, good]) {
          await grants.create(grant);
        }
        await grants.revoke(revoked.id);
        await grants.revoke(revoked.id);
        await grants.sweep(NOW);
        assert.equal(await grants.findByAccess(revoked.access.hash), undefined);
        assert.equal(await grants.findByAccess(expired.access.hash), undefined);
        assert.deepEqual(await grants.findByAccess(good.access.hash), good);
      }));
  });
}

function makeDraft(overrides: Partial<TokenDraft> = {}): TokenDraft {
  return {
    id: randomUUID().replaceAll('-', ''),
    owner: MAIN,
    name: 'deploy',
    scopes: ['workers:write', 'kv:read'],
    createdOn: NOW,
    ...overrides,
  };
}

function makeGrant(overrides: Partial<Grant> = {}): Grant {
  return {
    id: randomUUID(),
    parent: makeHash(),
    client: 'wrangler',
    scopes: ['workers:write'],
    requested: 'workers:write d1:write',
    createdOn: NOW,
    access: makeExpiring(),
    refresh: makeExpiring(),
    ...overrides,
  };
}

function makeExpiring(): Grant['access'] {
  return { hash: makeHash(), expiresOn: LATER };
}

/** As long as a hash, and as unlike others. */
function makeHash(): TokenHash {
  return `${randomUUID()}${randomUUID()}`.replaceAll('-', '') as TokenHash;
}
