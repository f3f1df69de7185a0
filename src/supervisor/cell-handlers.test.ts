import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChannelHandlers, Exchange } from '../channel/index.ts';
import { toResourceHead } from '../cell/resources.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import { type CellHandlersDeps, createCellHandlers } from './cell-handlers.ts';

const MINE = 'mine' as AccountId;
const OTHERS = 'others' as AccountId;
const WORKER = 'shop' as WorkerName;

describe('createCellHandlers()', () => {
  it('lets a cell speak for accounts whose code it was given, and for nobody else', async () => {
    const { handlers, reached } = open();
    assert.deepEqual(ask(handlers, MINE), 'No Worker of that account runs in this cell.');
    await assert.rejects(async () => handlers.onCall?.('service', { account: MINE, worker: WORKER }, Buffer.alloc(0)), {
      message: 'Cannot look up a service: no Worker of mine runs in this cell',
    });
    await handlers.onCall?.('version', { id: 'v1' }, Buffer.alloc(0));
    assert.equal(ask(handlers, MINE), undefined);
    assert.ok(await handlers.onCall?.('service', { account: MINE, worker: WORKER }, Buffer.alloc(0)));
    assert.deepEqual(reached, [MINE]);
    for (const forged of [OTHERS, '' as AccountId, `${MINE}x` as AccountId, '__proto__' as AccountId]) {
      assert.match(ask(handlers, forged) ?? '', /^No Worker of that account/, forged);
      await assert.rejects(async () =>
        handlers.onCall?.('service', { account: forged, worker: WORKER }, Buffer.alloc(0)),
      );
    }
    assert.deepEqual(reached, [MINE]);
  });

  it('takes no fetch in the name of an account that is not there', async () => {
    const { handlers } = open();
    await handlers.onCall?.('version', { id: 'v1' }, Buffer.alloc(0));
    assert.match(fetchAs(handlers, OTHERS) ?? '', /^No Worker of that account/);
  });
});

/** With one version, `v1` of `mine`. */
function open(): { handlers: ChannelHandlers; reached: string[] } {
  const reached: string[] = [];
  const version = { id: 'v1', spec: { account: MINE, worker: WORKER, bindings: [] }, modules: [] };
  const deps = {
    registry: {
      versionById: () => Promise.resolve(version),
      account: () => Promise.resolve({ status: 'active' }),
      route: () => Promise.resolve(undefined),
    },
    blobs: {},
    vault: { open: () => Promise.resolve(version) },
    resources: {
      cache: (_exchange: Exchange, { account }: { account: string }) => {
        reached.push(account);
        return { onData() {}, onEnd() {}, onReset() {} };
      },
    },
    mayRun: ({ worker }: { worker: string }) => worker !== 'apart',
    usage: { allow() {} },
    onWarning() {},
  };
  return { handlers: createCellHandlers(deps as unknown as CellHandlersDeps), reached };
}

/** Why it was refused. */
function ask(handlers: ChannelHandlers, account: AccountId): string | undefined {
  return send(handlers, toResourceHead({ kind: 'cache', id: '', account, worker: WORKER, ray: 'r', head: '' }));
}

function fetchAs(handlers: ChannelHandlers, account: AccountId): string | undefined {
  return send(handlers, `${account}\n${WORKER}\nr\nGET\nhttps://example.com/\n`);
}

function send(handlers: ChannelHandlers, head: string): string | undefined {
  let reason: string | undefined;
  const exchange = { reset: (_code: number, why: string) => (reason = why) };
  handlers.onRequest?.(exchange as unknown as Exchange, head, Buffer.alloc(0), true);
  return reason;
}
