import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import util from 'node:util';
import { format, inspect } from '../parts/inspect.ts';

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

  it('says the same as Node of values of every kind', () => {
    class Base {
      a = 1;
    }
    class Derived extends Base {
      static s = 1;
      #hidden = 1;
      get hidden(): number {
        return this.#hidden;
      }
    }
    class OwnMap extends Map<number, number> {}
    const circular: Record<string, unknown> = { a: 1 };
    circular['self'] = circular;
    circular['list'] = [circular];
    const named = Object.assign(function named() {}, { property: 1 });
    const text = (length: number): string => 'x'.repeat(length);
    const numbers = (length: number): number[] => Array.from({ length }, (_, i) => i);
    const values: readonly unknown[] = [
      undefined,
      null,
      true,
      0,
      -0,
      Number.NaN,
      Infinity,
      10n,
      Symbol('s'),
      Symbol(),
      Symbol.iterator,
      'a',
      "it's",
      `it's "q"`,
      'it\'s "q" `b`',
      'a\nb',
      '😀\ud800',
      text(200),
      {},
      {
        a: 1,
        b: 'two',
      },
      { a: { b: { c: { d: 1 } } } },
      {
        'a-b': 1,
        1: 2,
        $: 3,
        [Symbol('k')]: 4,
        ü: 5,
      },
      [],
      [1, 2, 3],
      Object.assign([], { 0: 1, 2: 3, 5: 6 }),
      Object.assign([1], { length: 3 }),
      Object.assign([], { length: 5 }),
      Object.assign([], { length: 1000 }),
      [[[[1]]]],
      Object.assign([1], { x: 2 }),
      numbers(6),
      numbers(7),
      numbers(30),
      numbers(120),
      numbers(30).map((i) => `item${i}`),
      [1.5, 22, 333, 4, 5, 6, 7],
      [undefined, null, Number.NaN, -0, 1n, 'a', Symbol('m'), () => {}],
      numbers(8).map((id) => ({
        id,
        name: `n${id}`,
      })),
      named,
      () => {},
      async function later() {},
      function* many() {},
      async function* all() {},
      Base,
      Derived,
      class {},
      new Base(),
      new Derived(),
      new (class Empty {})(),
      {
        method() {},
        arrow: () => {},
        Base,
      },
      new Date(0),
      new Date(Number.NaN),
      Object.assign(new Date(0), { a: 1 }),
      /a/gi,
      Object.assign(/x/, { a: 1 }),
      new Map<unknown, unknown>([
        ['a', 1],
        [{ k: 1 }, [2]],
      ]),
      new Map(),
      new OwnMap([[1, 2]]),
      Object.assign(new Map([[1, 2]]), { p: 1 }),
      new Set<unknown>([1, 'a', { b: 1 }]),
      new Set(),
      new WeakMap(),
      new WeakSet(),
      new Map([['a', new Map([['b', new Map()]])]]),
      new Uint8Array([1, 2]),
      new Float64Array(2),
      new Uint8Array(150),
      new ArrayBuffer(4),
      new ArrayBuffer(120),
      new DataView(new ArrayBuffer(2)),
      Object(1),
      Object(-0),
      Object('abc'),
      Object(true),
      Object(Symbol('b')),
      Object(1n),
      {
        get a() {
          return 1;
        },
      },
      { set a(_value: number) {} },
      circular,
      Object.create(null),
      Object.assign(Object.create(null), { a: 1 }),
      Math,
      JSON,
      Reflect,
      Object.create({ [Symbol.toStringTag]: 'P' }),
      {
        [Symbol.toStringTag]: 'X',
        a: 1,
      },
      {
        a: text(30),
        b: text(30),
      },
      {
        a: text(40),
        b: text(40),
      },
      { a: 'l1\nl2' },
      [text(20), text(20), text(20), text(20)],
      Object.fromEntries(numbers(18).map((i) => [`k${i}`, i])),
      {
        a: {
          b: {
            c: {},
            d: [],
            e: new Set(),
            f: [1],
            g: new Map([[1, 1]]),
          },
        },
      },
    ];
    for (const value of values) assert.equal(inspect(value), util.inspect(value));
  });

  it('shows errors with stack, own properties and cause', () => {
    const error = Object.assign(new Error('outer', { cause: new TypeError('inner') }), { code: 7 });
    const text = inspect({ error });
    assert.match(text, /Error: outer\n +at .*\n[^]*code: 7,[^]*\[cause\]: TypeError: inner/);
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
