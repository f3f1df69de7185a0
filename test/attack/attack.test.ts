/** The short form of the battery: some attacks of each family, and nothing that depends on how fast the machine is. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Arena } from './arena.ts';
import { ATTACKS } from './attacks/index.ts';
import { toLine } from './report.ts';

const SHORT_FORM = [
  'loop/constant-array',
  'loop/in-timer',
  'loop/thenable-answer',
  'async/microtasks',
  'async/finalization',
  'error/proxy',
  'error/unhandled-proxy',
  'recursion/try-finally',
  'regex/nested-plus',
  'string/repeat',
  'bigint/mod-pow',
  'builtin/index-of-huge',
  'memory/objects',
  'memory/resizable',
  'wasm/loop',
  'wasm/own-memories-without-end',
  'code/async-generator-function',
  'code/reflect-construct',
  'host/env-file',
  'prototype/setter-on-object',
  'prototype/console-proxies',
  'flood/log-escapes',
  'flood/service-tree',
  'header/split',
  'stream/endless-unread',
  'socket/loops-on-message',
  'store/cache-puts',
  'scheduled/throws-proxy',
  'start/prepare-stack-trace',
];

describe('The platform and its other tenants survive', { timeout: 110_000 }, () => {
  let arena: Arena;
  before(async () => {
    arena = await Arena.start({ cells: 2, cold: false });
  });
  after(() => arena[Symbol.asyncDispose]());

  for (const name of SHORT_FORM) {
    it(name, async () => {
      const attack = ATTACKS.find((one) => one.name === name);
      assert.ok(attack !== undefined, 'there is no such attack');
      const result = await arena.run(attack);
      assert.notEqual(result.verdict, 'FAILED', toLine(result));
    });
  }

  it('at least 120 attacks, each under a name of its own', () => {
    assert.ok(ATTACKS.length >= 120);
    assert.equal(new Set(ATTACKS.map(({ name }) => name)).size, ATTACKS.length);
  });
});
