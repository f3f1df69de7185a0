/** What a tenant can reach: a Worker walks everything there is, calls it with rubbish, and shows nothing of the host. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { createRuntime, type InvocationRecord, type Runtime } from '../index.ts';
import { buildGuest } from '../guest/build/index.ts';
import { Runtime as AmendableRuntime } from './runtime.ts';

/** Of the walk in a Worker. */
interface Findings {
  readonly problems: readonly string[];
  readonly objects: number;
  readonly calls: number;
  readonly observed: number;
}

/** Whoever puts these on `Object.prototype` cannot define a property any more: a test of its own has them. */
const UNTOUCHED = ['__proto__', 'get', 'set', 'value', 'writable', 'enumerable', 'configurable'];
const LIMITS = { cpuMs: 20_000, memoryMiB: 1_024 };
/**
 * In groups: what one leaves behind is not to fill the memory of the next. Not `stream` and `util`, which called with
 * rubbish about everything that there is take all memory by themselves.
 */
const NODE_MODULES = [
  'assert assert/strict async_hooks diagnostics_channel',
  'buffer string_decoder',
  'child_process cluster console constants dgram dns dns/promises domain',
  'crypto',
  'events timers timers/promises process',
  'fs fs/promises http http2 https inspector inspector/promises module net',
  'os path path/posix path/win32 perf_hooks punycode querystring url readline readline/promises repl sqlite',
  'util/types',
  'tls trace_events tty v8 vm wasi worker_threads',
  'zlib',
].map((names) => names.split(' ').map((name) => `node:${name}`));

/** Name and length of each native function of a bare isolate. */
const LIST_NATIVES = `(() => {
  const names = new Set(), seen = new Set(), todo = [globalThis, async () => {}, function* () {}, async function* () {},
    [][Symbol.iterator](), new Map().entries(), new Set().values(), ''[Symbol.iterator](), 'a'.matchAll(/a/g),
    (function* () {})(), (async function* () {})(), [].values().map(() => {}), Iterator.from({ next() {} }),
    new Intl.Collator().compare, new Intl.NumberFormat().format, new Intl.DateTimeFormat().format,
    Object.getOwnPropertyDescriptor(new Error(), 'stack').set, new Intl.Segmenter().segment(''), new Intl.Segmenter().segment('')[Symbol.iterator](),
    Object.getOwnPropertyDescriptor(function () { 'use strict'; return arguments }(), 'callee').get];
  const { prepareStackTrace } = Error;
  Error.prepareStackTrace = (_, sites) => todo.push(...sites);
  void new Error().stack;
  Error.prepareStackTrace = prepareStackTrace;
  while (todo.length > 0) {
    const value = todo.pop();
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) continue;
    seen.add(value);
    if (typeof value === 'function') names.add(value.name + '/' + value.length);
    for (const key of Reflect.ownKeys(value)) {
      const { value: item, get, set } = Object.getOwnPropertyDescriptor(value, key);
      todo.push(item, get, set);
    }
    todo.push(Object.getPrototypeOf(value));
  }
  return JSON.stringify([...names]);
})()`;

const WALKER = String.raw`
const { getOwnPropertyDescriptor, getPrototypeOf, defineProperty, hasOwn } = Object;
const { ownKeys, apply, construct } = Reflect;
const { then, catch: rescue } = Promise.prototype;
const uncurry = (method) => (self, ...args) => apply(method, self, args);
const sourceOf = uncurry(Function.prototype.toString);
const test = uncurry(RegExp.prototype.test);
const NativeSet = Set, NativeMap = Map, NativeString = String, NativePromise = Promise, later = setTimeout;
const setHas = uncurry(Set.prototype.has), setAdd = uncurry(Set.prototype.add);
const mapGet = uncurry(Map.prototype.get), mapSet = uncurry(Map.prototype.set);
const slice = uncurry(String.prototype.slice);

const FORBIDDEN = /isolated-vm|node_modules\/|\/work\/|\/tmp\/w|\/src\/|hostSync|hostQueued|isola:(?:guest|boot)|file:\/\/\/(?!bundle\/|$)/;
const CLASSES = /^(?:Reference|Callback|ExternalCopy|Isolate|Context|NativeModule|InspectorSession)$/;
const NATIVE = /^[^{]*\{\s*\[native code\]\s*\}$/;
const RECORD = ['invocation', 'resources', 'onAbort', 'captured', 'asker', 'toResult', 'outstanding'];

export class Walk {
  problems = [];
  objects = 0;
  calls = 0;
  observed = 0;
  #seen = new NativeSet();
  #times = new NativeMap();
  #todo = [];
  #head = 0;
  #waiting = 0;
  #natives;
  #own;

  constructor(natives, own) {
    this.#natives = new NativeSet(natives);
    this.#own = new NativeSet(own);
  }

  #reported = new NativeSet();

  report(path, what) {
    const line = slice(what, 0, 100);
    if (setHas(this.#reported, line)) return;
    setAdd(this.#reported, line);
    if (this.problems.length < 40) this.problems[this.problems.length] = path + ': ' + what;
  }

  text(text, path) {
    if (test(FORBIDDEN, text)) this.report(path, slice(text, 0, 600));
  }

  add(value, path, receiver) {
    if (typeof value === 'string') return this.text(value, path);
    if (typeof value === 'symbol') return this.text(value.description ?? '', path);
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
    if (setHas(this.#own, value)) return;
    if (typeof value === 'function') {
      this.call(value, receiver, path);
    }
    if (setHas(this.#seen, value)) return;
    setAdd(this.#seen, value);
    if (this.objects++ > 15_000) return;
    this.#todo[this.#todo.length] = [value, path];
  }

  /** Is it a function of the host's, or an object of its library or of the runtime's own books? */
  judge(value, path) {
    if (typeof value === 'function') {
      const source = sourceOf(value);
      if (!test(NATIVE, source)) return;
      const name = getOwnPropertyDescriptor(value, 'name')?.value ?? '';
      const length = getOwnPropertyDescriptor(value, 'length')?.value ?? 0;
      if (name === '' && hasOwn(value, 'prototype')) this.report(path, 'a native function that is not of V8');
      else if (typeof name === 'string' && !setHas(this.#natives, name + '/' + length) && slice(name, 0, 6) !== 'bound ') {
        this.report(path, 'a native function that no bare isolate has: ' + name + '/' + length);
      }
      return;
    }
    for (let type = value, depth = 0; type !== null && depth < 10; depth++) {
      const named = getOwnPropertyDescriptor(type, 'constructor')?.value;
      if (typeof named === 'function' && test(CLASSES, named.name)) this.report(path, 'an instance of ' + named.name);
      type = getPrototypeOf(type);
    }
    for (const key of RECORD) if (hasOwn(value, key)) this.report(path, 'a record of the runtime, by its ' + key);
  }

  run() {
    while (this.#head < this.#todo.length) {
      const [value, path] = this.#todo[this.#head++];
      try {
        this.expand(value, path);
      } catch (error) {
        this.text(NativeString(error?.message), path);
      }
    }
  }

  expand(value, path) {
    this.judge(value, path);
    for (let from = value, depth = 0; from !== null && depth < 8; depth++) {
      const keys = ownKeys(from);
      for (let i = 0; i < keys.length && i < 3_000; i++) {
        const key = keys[i];
        const name = path + '.' + (typeof key === 'symbol' ? '@@' + key.description : key.length > 40 ? slice(key, 0, 40) : key);
        if (path.length > 300) continue;
        this.text(typeof key === 'symbol' ? (key.description ?? '') : key, path);
        const { value: item, get, set } = getOwnPropertyDescriptor(from, key) ?? {};
        this.add(item, name, value);
        if (typeof get === 'function') {
          this.attempt(name, () => apply(get, value, []));
          this.add(get, name + '(get)', {});
        }
        if (typeof set === 'function') this.add(set, name + '(set)', {});
      }
      from = getPrototypeOf(from);
      if (from !== null) this.add(from, path + '.__proto__');
    }
  }

  attempt(path, work) {
    this.calls++;
    try {
      const result = work();
      this.add(result, path + '()');
      if (result instanceof NativePromise) this.await(result, path);
    } catch (error) {
      this.thrown(error, path);
    }
  }

  await(promise, path) {
    this.#waiting++;
    const settled = () => { this.#waiting--; };
    apply(then, promise, [
      (value) => { settled(); this.add(value, path + '=>'); },
      (error) => { settled(); this.thrown(error, path + '=>'); },
    ]);
  }

  thrown(error, path) {
    if ((typeof error !== 'object' && typeof error !== 'function') || error === null) return this.add(error, path + '!');
    for (const key of ['name', 'message', 'stack', 'code']) {
      let text;
      try { text = error[key]; } catch { continue; }
      if (typeof text === 'string') this.text(text, path + '!' + key);
    }
    this.add(error, path + '!');
  }

  call(value, receiver, path) {
    const times = mapGet(this.#times, value) ?? 0;
    if (times >= 2 || test(/\.(?:exit|abort|repeat|padStart|padEnd|reallyExit|kill)(?:$|\()/, path)) return;
    mapSet(this.#times, value, times + 1);
    const rubbish = [
      [], [null], [Symbol('rubbish')], [{}], [new Proxy({}, TRAPS)], ['x'.padEnd(1_000, 'x')], [-1], [NaN], [5n],
      [() => {}], [null, null, null], [{}, {}, {}], ['a', 'b', 'c'], [new Uint8Array(8), {}], ['AES-GCM', {}, true, []],
    ];
    for (const given of rubbish) {
      this.attempt(path, () => apply(value, receiver, given));
      if (times === 0) this.attempt(path, () => construct(value, given));
    }
    if (times === 0) this.attempt(path, () => apply(value, undefined, []));
  }

  async settle() {
    for (let round = 0; round < 40; round++) {
      this.run();
      if (this.#waiting === 0 && round > 3) break;
      await new NativePromise((resolve) => later(resolve, 1));
    }
  }
}
const refuse = () => { throw new Error('a trap'); };
const TRAPS = { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, set: refuse, getOwnPropertyDescriptor: refuse };

/** Replaces what can be replaced by what looks at everything that passes. */
export function patch(walk, keys) {
  let looking = false;
  const look = (value, path) => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
    if (looking) return; // what the spies do themselves
    looking = true;
    walk.observed++;
    try { walk.judge(value, 'seen by ' + path); } catch {}
    looking = false;
  };
  const wrap = (holder, name) => {
    for (const key of ownKeys(holder)) {
      const descriptor = getOwnPropertyDescriptor(holder, key);
      const { value } = descriptor;
      if (typeof value !== 'function' || key === 'constructor' || !descriptor.configurable) continue;
      const path = name + '.' + NativeString(key);
      const patched = function (...args) {
        look(this, path);
        for (let i = 0; i < args.length; i++) look(args[i], path);
        return new.target === undefined ? apply(value, this, args) : construct(value, args, new.target);
      };
      defineProperty(holder, key, { ...descriptor, value: patched });
    }
  };
  const { prototype: objects } = Object;
  const types = { Array, Promise, Map, Set, WeakMap, WeakSet, WeakRef, String, RegExp, Function, Uint8Array, ArrayBuffer, Date,
    FinalizationRegistry, Error, Number, Symbol };
  const statics = { Object, Reflect, JSON, Array, Promise, ArrayBuffer, String, Number, Math };
  for (const key of keys) {
    if (key in objects) continue;
    defineProperty(objects, key, {
      get() { return undefined; },
      set(value) {
        look(this, 'Object.prototype.' + key); look(value, 'Object.prototype.' + key);
        defineProperty(this, key, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
      },
      configurable: true,
    });
  }
  for (let i = 0; i < 4; i++) {
    defineProperty(Array.prototype, i, {
      get() { return undefined; },
      set(value) {
        look(this, 'Array.prototype.' + i); look(value, 'Array.prototype.' + i);
        defineProperty(this, i, { __proto__: null, value, writable: true, enumerable: true, configurable: true });
      },
      configurable: true,
    });
  }
  for (const [name, type] of Object.entries(types)) wrap(type.prototype, name + '.prototype');
  wrap(getPrototypeOf(Uint8Array.prototype), 'TypedArray.prototype');
  wrap(getPrototypeOf([][Symbol.iterator]()), 'ArrayIterator.prototype');
  for (const [name, type] of Object.entries(statics)) wrap(type, name);
}
`;

function main(modules: readonly string[], patches: boolean): string {
  const imports = ['cloudflare:workers', ...modules];
  return `
import { Walk, patch } from './walker.js';
import DATA from './data.json';
export default {
  async fetch(request, env, ctx) {
    if (request.url.endsWith('/ping')) return new Response('pong');
    const own = new Set([Walk, Walk.prototype, DATA, patch]);
    const walk = new Walk(DATA.natives, own);
    const namespaces = {};
    ${patches ? '' : 'Error.stackTraceLimit = 50;'}
    ${patches ? 'patch(walk, DATA.keys);' : ''}
    for (const name of ${JSON.stringify(imports)}) namespaces[name] = await import(name);
    if (${patches}) {
      const use = [
        () => fetch('http://127.0.0.1:9/'), () => new Request('http://a/', { method: 'POST', body: 'x' }).text(),
        () => new Response(new ReadableStream({ start(c) { c.enqueue(new Uint8Array(1)); c.close() } })).arrayBuffer(),
        () => new Response(new Blob(['a', 'b']).stream().pipeThrough(new CompressionStream('gzip'))).bytes(),
        () => crypto.subtle.digest('SHA-256', new Uint8Array(100_000)), () => crypto.randomUUID(),
        () => crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']),
        () => caches.default.match('http://a/'), () => structuredClone({ a: [1, new Map([[1, 2]])] }),
        () => new URL('http://xn--4ca.de/?a=b').searchParams.get('a'), () => new URLPattern({ pathname: '/:a' }).exec('http://a/b'),
        () => new HTMLRewriter().on('a', { element() {} }).transform(new Response('<a>b</a>')).text(),
        () => new Promise((done) => { const { port1, port2 } = new MessageChannel(); port2.onmessage = done; port1.postMessage(1) }),
        () => { const [a, b] = Object.values(new WebSocketPair()); a.accept(); b.accept(); a.send('x'); a.close() },
        () => new Response(new FormData()).formData(), () => AbortSignal.timeout(1), () => new EventSource('http://127.0.0.1:9/'),
        () => console.log({ a: new Map([[{}, new Error('x')]]) }, new Error('y')), () => performance.mark('a'),
        () => new Promise((done) => setTimeout(done, 1)), () => queueMicrotask(() => {}), () => ctx.waitUntil(Promise.resolve()),
        () => new TextDecoder('shift_jis').decode(new Uint8Array(9)), () => request.headers.forEach(() => {}),
        () => new Request(request, { signal: AbortSignal.any([AbortSignal.timeout(5)]) }).clone(), () => env.SELF.fetch('http://a/ping'),
        () => WebAssembly.instantiate(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])),
      ];
      for (const work of use) try { await work() } catch (error) { walk.thrown(error, String(work)) }
      return new Response(JSON.stringify({ problems: walk.problems, objects: 1, calls: use.length, observed: walk.observed }));
    }
    const sites = [];
    Error.prepareStackTrace = (_, given) => given;
    try { new Headers([[1]]) } catch (error) { sites.push(...error.stack) }
    try { structuredClone(() => {}) } catch (error) { sites.push(...error.stack) }
    new EventTarget().dispatchEvent(Object.assign(new Event('x')));
    Error.prepareStackTrace = undefined;
    walk.add(sites, 'sites');
    if (${modules.length === 0}) walk.add(globalThis, 'globalThis');
    walk.add(env, 'env');
    walk.add(ctx, 'ctx');
    walk.add(request, 'request');
    walk.add(import.meta, 'import.meta');
    (function () { walk.add(arguments, 'arguments') })();
    for (const [name, namespace] of Object.entries(namespaces)) walk.add(namespace, name);
    await walk.settle();
    const { problems, objects, calls, observed } = walk;
    return new Response(JSON.stringify({ problems, objects, calls, observed }));
  },
};`;
}

describe('What a Worker can reach', { timeout: 120_000 }, () => {
  let runtime: Runtime;
  let data: string;
  const records: InvocationRecord[] = [];

  before(async () => {
    runtime = await createRuntime({ onRecord: (record) => records.push(record) });
    await runtime.deploy('neighbour', {
      modules: { 'index.js': 'export default { fetch: () => new Response("here") }' },
    });
    const natives = runInNewContext(LIST_NATIVES) as string;
    const { source, parts } = await buildGuest();
    const names = [source, ...Object.values(parts)].join('\n').matchAll(/\.([a-z]\w*)\b/gi);
    const keys = [...new Set([...names].map(([, name]) => name))].filter((name) => !UNTOUCHED.includes(name!));
    data = JSON.stringify({ natives: JSON.parse(natives), keys });
  });
  after(() => runtime.close());

  async function walk(name: string, modules: readonly string[], patches: boolean, on = runtime): Promise<Findings> {
    await on.deploy(name, {
      modules: {
        'index.js': main(modules, patches),
        'walker.js': WALKER,
        'data.json': data,
      },
      compatibilityFlags: modules.length > 0 ? ['nodejs_compat'] : [],
      bindings: [{ type: 'service', name: 'SELF', service: name as never }],
      limits: LIMITS,
    });
    const response = await on.fetch(name, new Request(`http://${name}/walk`));
    const text = await response.text();
    assert.equal(response.status, 200, `${text.slice(0, 500)} ${JSON.stringify(records).slice(-3_000)}`);
    return JSON.parse(text) as Findings;
  }

  for (const [title, modules] of [
    ['by itself', []],
    ...NODE_MODULES.map((modules) => [`in ${modules.join(', ')}`, modules] as const),
  ] as const) {
    it(`is nothing of the host ${title}`, async (t) => {
      const { problems, objects, calls } = await walk(`plain-${modules.join('-').replace(/\W/g, '-')}`, modules, false);
      t.diagnostic(`${objects} objects, ${calls} calls`);
      assert.deepEqual(problems, []);
      assert.ok(objects > 1_000 && calls > 10_000, `${objects} objects, ${calls} calls`);
      const neighbour = await runtime.fetch('neighbour', new Request('http://neighbour/'));
      assert.equal(await neighbour.text(), 'here');
    });
  }

  it('is nothing of the host when every built-in is a spy', async (t) => {
    const { problems, observed } = await walk('patched', [], true);
    t.diagnostic(`${observed} values observed`);
    assert.deepEqual(problems, []);
    assert.ok(observed > 100);
  });

  it('would be found', async () => {
    await using leaky = await AmendableRuntime.create(
      {},
      (script) =>
        `${script};{ const { boot } = __isola; __isola.boot = (...given) => { globalThis.leak = given[2]; return boot(...given) } }`,
    );
    const { problems } = await walk('leaky', [], false, leaky);
    assert.match(problems.join('\n'), /globalThis\.leak: a native function that/);
  });
});
