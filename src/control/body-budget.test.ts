import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { AccountId } from '../ids.ts';
import type { Scope } from '../store/index.ts';
import { BodyBudget } from './body-budget.ts';
import { openTestControl } from './testing.ts';

const ACME = 'acme' as AccountId;
const OTHER = 'other' as AccountId;
const MIB = 1024 * 1024;
const MOST = 2 * MIB - 100_000; // of a body, so that it goes on

describe('BodyBudget', () => {
  it('counts an account’s bodies together, and those of all, until they are given up', () => {
    const budget = new BodyBudget({ ofAccount: 100, ofAll: 150 });
    const first = budget.open(ACME);
    first.add(60);
    const second = budget.open(ACME);
    second.add(40);
    assert.throws(() => second.add(1), { kind: 'rateLimited' });
    const third = budget.open(OTHER);
    third.add(50);
    assert.throws(() => third.add(1), { kind: 'overloaded' });
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    first.add(1_000); // is read to be dropped
    third.add(50);
    assert.equal(budget.total, 140);
    second[Symbol.dispose]();
    third[Symbol.dispose]();
    assert.equal(budget.total, 0);
  });

  it('does not count the operator', () => {
    const budget = new BodyBudget({ ofAccount: 1, ofAll: 1 });
    budget.open('*').add(1_000);
    assert.equal(budget.total, 0);
  });
});

describe('bodies that are under way', () => {
  const scopes = new Set<Scope>(['workers:write', 'kv:write']);
  const open = async () => {
    const bodies = new BodyBudget({ ofAccount: 3 * MIB, ofAll: 100 * MIB });
    const control = await openTestControl({
      bodies,
      authenticator: {
        identify: async (account) => ({ actor: account, account: account as AccountId, scopes, tokenId: account }),
      },
    });
    for (const id of [ACME, OTHER])
      await control.registry.putAccount({ id, name: id, createdOn: new Date(0).toISOString() });
    await control.kv.createNamespace(ACME, { id: 'n', title: 'n' });
    const url = await control.app.listen({ port: 0, host: '127.0.0.1' });
    /** A request of which the head and some of the body have been sent. */
    const begin = (account: string, path: string, { method = 'PUT', type = '' } = {}) => {
      const sent = request(`${url}/client/v4/accounts/${account}${path}`, {
        method,
        agent: false,
        headers: {
          authorization: `Bearer ${account}`,
          'content-length': 2 * MIB,
          ...(type && { 'content-type': type }),
        },
      });
      sent.on('error', () => {});
      return sent;
    };
    const reached = async (bytes: number): Promise<void> => {
      while (bodies.total < bytes) await new Promise((resolve) => setImmediate(resolve)); // oxlint-disable-line no-await-in-loop
    };
    const answered = async (sent: ReturnType<typeof request>) => {
      const [response] = await once(sent, 'response');
      return {
        status: response.statusCode as number,
        retry: response.headers['retry-after'],
        body: await text(response),
      };
    };
    return { bodies, begin, reached, answered, [Symbol.asyncDispose]: () => control[Symbol.asyncDispose]() };
  };

  for (const [what, path, options] of [
    ['KV values', '/storage/kv/namespaces/n/values/k', {}],
    ['bulk requests', '/storage/kv/namespaces/n/bulk', {}],
    ['uploads', '/workers/scripts/hello', { type: 'multipart/form-data; boundary=b' }],
  ] as const) {
    it(`are bounded for each account: ${what}`, async () => {
      await using api = await open();
      const first = api.begin('acme', path, options);
      first.write(what === 'uploads' ? '--b\r\ncontent-disposition: form-data; name="a"; filename="a"\r\n\r\n' : '');
      first.write(Buffer.alloc(MOST, 'x'));
      await api.reached(MOST);
      const second = api.begin('acme', path, options);
      const answer = api.answered(second);
      second.write(Buffer.alloc(MOST, 'x'));
      second.end(Buffer.alloc(2 * MIB - MOST));
      const { status, retry, body } = await answer;
      assert.deepEqual([status, retry], [429, '1'], body);
      assert.match(body, /10371/);
      // Another account is none the worse for it.
      const other = api.begin('other', '/workers/scripts/hello/secrets-bulk', { method: 'PATCH' });
      other.end(`{"secrets":{}${' '.repeat(900_000)}}`.padEnd(2 * MIB));
      assert.equal((await api.answered(other)).status, 400); // too long
      // Given up in the middle, it holds nothing any more.
      first.destroy();
      while (api.bodies.total > 0) await new Promise((resolve) => setImmediate(resolve)); // oxlint-disable-line no-await-in-loop
    });
  }
});
