import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import util from 'node:util';
import { format, inspect } from './inspect.ts';

class Foo {
  a = 1;
  get b(): number {
    throw new Error('must not be called');
  }
}
const circular: Record<string, unknown> = { x: 1 };
circular['self'] = circular;
// What a line of console.log usually holds; each as Node shows it.
const USUAL: unknown[] = [
  [1, -0, 1.5, 10n, true, null, undefined, Symbol('s')],
  'text',
  "it's",
  { a: { b: { c: { d: 1 } } }, 'b-c': [1, [2, [3, [4]]]] },
  Object.assign([], { 0: 1, 3: 2 }),
  new Map<unknown, unknown>([['a', { x: 1 }]]),
  new Set([1, 'b']),
  new Foo(),
  circular,
  new Uint8Array(3),
  new Date(0),
  /x/g,
  () => 1,
  function named() {},
  async () => {},
  class A {},
  Object.create(null),
  Object.defineProperty({}, 'g', { get: () => 1, enumerable: true }),
  ['x'.repeat(50), { y: 'y'.repeat(50) }],
  { [Symbol('k')]: 'line\nbreak' },
  Object('boxed'),
  [],
  {},
];

describe('inspect()', () => {
  it('shows the usual values as Node does', () => {
    for (const value of USUAL) assert.equal(inspect(value), util.inspect(value));
  });

  it('shows errors with stack, own properties and cause', () => {
    const error = Object.assign(new Error('outer', { cause: new TypeError('inner') }), { code: 7 });
    const text = inspect({ error });
    assert.match(text, /Error: outer\n +at .*\n[^]*\[cause\]: TypeError: inner[^]*code: 7/);
  });

  it('calls no getter', () => {
    let called = false;
    const value = Object.create(
      {
        get constructor() {
          called = true;
          return Object;
        },
      },
      { a: { get: () => (called = true), enumerable: true }, message: { get: () => (called = true) } },
    ) as object;
    inspect(value);
    inspect([value, new Proxy(value, {})]);
    assert.equal(called, false);
  });

  it('survives hostile proxies', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const throws = new Proxy({}, { ownKeys: () => assert.fail() });
    assert.equal(format([proxy, throws, 'x']), '[value could not be shown] [value could not be shown] x');
  });

  it('is bounded in output and work for wide, deep and shared structures', () => {
    const wide: Record<string, unknown> = {};
    for (let i = 0; i < 2_000; i++) wide[`k${i}`] = wide;
    let shared: unknown = 1;
    for (let i = 0; i < 40; i++) shared = [shared, shared, shared, shared];
    const errors = Array.from({ length: 100 }, () =>
      Object.assign(new Error('x'.repeat(20_000)), { ['k'.repeat(20_000)]: 1 }),
    );
    const nested = Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => errors));
    const map = new Map(Array.from({ length: 100_000 }, (_, i) => [i, { i }]));
    for (const value of [
      wide,
      shared,
      nested,
      map,
      Array.from({ length: 1e6 }),
      'x'.repeat(1e6),
      Object.assign([], { length: 2 ** 32 - 1 }),
    ]) {
      assert.ok(inspect(value, 50).length <= 64 * 1024);
      assert.ok(format(['%o %j', value, value, value]).length <= 64 * 1024);
    }
    assert.match(inspect(2n ** 5000n), /BigInt of more than/);
  });
});

describe('format()', () => {
  it('fills in specifiers as Node does', () => {
    const lines: unknown[][] = [
      ['%s is %d, %i, %f%%', 'x', 42, '4.5', '1.5'],
      ['%j and %O', { a: [1, 'x', undefined], b: undefined }, { a: 1 }],
      ['%c styled', 'color: red', 'rest', { a: 1 }],
      ['%s', null],
      ['%d', '0x10'],
      ['%x %s'],
      ['100%', 1],
      ['%s %s', 'only one'],
      [1, 'two', { three: 3 }],
      [],
    ];
    for (const line of lines) assert.equal(format(line), util.format(...line));
  });
});
