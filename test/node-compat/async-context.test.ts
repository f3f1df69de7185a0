/** `AsyncLocalStorage`: the same code in Node and in a Worker. */
import assert from 'node:assert/strict';
import { transformSync } from 'esbuild';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type InvocationRecord, type Runtime } from '../../src/index.ts';
import { compare, openRuntime } from './harness.ts';

const IMPORTS = `
  import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
  import { EventEmitter, once, EventEmitterAsyncResource } from 'node:events';
  import { pipeline } from 'node:stream/promises';
  import { Readable, Transform } from 'node:stream';
  import { setTimeout as sleep } from 'node:timers/promises';
  import { promisify } from 'node:util';
  import process from 'node:process';
  const als = new AsyncLocalStorage();
  const other = new AsyncLocalStorage({ defaultValue: 'none', name: 'other' });
  const get = () => als.getStore();
  const tick = () => new Promise((resolve) => setTimeout(resolve, 1));`;

describe('AsyncLocalStorage in a Worker, as in Node:', { timeout: 60_000 }, () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await openRuntime();
  });
  after(() => runtime.close());

  it('run, exit, enterWith, disable, defaults', async () => {
    await compare(runtime, IMPORTS, {
      run: `return [get(), als.run(1, () => [get(), als.run(2, get), get(), als.exit(get)]), get(), als.run(3, (a, b) => [get(), a, b], 'x', 'y')];`,
      throws: `const failed = attempt(() => als.run(1, () => { throw new Error('in'); })); const later = await als.run(2, async () => { await 0; try { await Promise.reject(new Error('x')); } catch { return get(); } finally { await 1; } }); return [failed, get(), later];`,
      enter: `const inner = async () => { als.enterWith('entered'); await 0; return get(); }; const done = als.run('outer', async () => { const got = await inner(); return [got, get()]; }); return [await done, get()];`,
      disable: `return als.run(1, () => { als.disable(); const gone = get(); return [gone, als.run(2, get)]; });`,
      several: `return als.run(1, () => other.run(2, async () => { await tick(); return [get(), other.getStore()]; })).then((v) => [v, other.getStore(), other.name]);`,
    });
  });

  it('await of promises, values, thenables and failures', async () => {
    await compare(runtime, IMPORTS, {
      values: `return als.run('v', async () => { const out = []; for (const value of [1, null, undefined, 'x', Promise.resolve(2), tick(), { then: (r) => r(get()) }, Object.assign(() => {}, { then: (r) => setTimeout(r, 1, get()) })]) out.push(await value, get()); return out; });`,
      rejected: `return als.run('r', async () => { const out = []; for (const value of [Promise.reject(new Error('a')), { then: (_, no) => no(new Error('b')) }, { then() { throw new Error('c'); } }, { get then() { throw new Error('d'); } }]) { try { await value; } catch (error) { out.push(error.message, get()); } } return out; });`,
      subclass: `class Mine extends Promise {} return als.run('s', async () => { await Mine.resolve(1); const a = get(); await new Mine((r) => setTimeout(r, 1)); return [a, get()]; });`,
      nested: `const f = async (n) => n === 0 ? get() : (await null, await f(n - 1)); return als.run('n', () => f(30));`,
      parens: `return als.run('p', async () => { const a = await (0, tick(), 'x'); const b = (await 1) + (await (2)); const c = [await 3, ...(await [4, 5])]; const d = await (await (async () => get)())(); return [a, b, c, d, get(), \`\${await get()}\`, await (async () => await get())()]; });`,
      order: `const log = []; const a = async () => { log.push('a1'); await null; log.push('a2'); await tick(); log.push('a3'); }; const b = async () => { log.push('b1'); await null; log.push('b2'); }; await Promise.all([als.run(1, a), als.run(2, b)]); return log;`,
      ticks: `const log = []; const count = async (name, f) => { await f(); log.push(name); }; await Promise.all([count('plain', async () => { await 1; await 2; }), count('promise', async () => { await Promise.resolve(); await Promise.resolve(); }), Promise.resolve().then(() => log.push('t1')).then(() => log.push('t2')).then(() => log.push('t3')).then(() => log.push('t4'))]); return log;`,
    });
  });

  it('many at once, each with its own', async () => {
    await compare(runtime, IMPORTS, {
      interleaved: `
        let seed = 7;
        const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
        const wrong = [];
        const flow = async (id, depth) => {
          for (let i = 0; i < 12; i++) {
            const kind = random(9);
            if (kind === 0) await null;
            else if (kind === 1) await Promise.resolve();
            else if (kind === 2) await tick();
            else if (kind === 3) await new Promise((r) => queueMicrotask(r));
            else if (kind === 4) await Promise.all([0, tick(), Promise.resolve()]);
            else if (kind === 5) await Promise.race([tick(), new Promise(() => {})]);
            else if (kind === 6) await { then(r) { if (get() !== id) wrong.push('then'); r(); } };
            else if (kind === 7) await Promise.resolve().then(() => { if (get() !== id) wrong.push('cb'); }).finally(() => { if (get() !== id) wrong.push('fin'); });
            else if (depth > 0) await als.run(id + '.' + i, () => flow(id + '.' + i, depth - 1));
            if (get() !== id) wrong.push([id, kind, get()]);
          }
        };
        await Promise.all(Array.from({ length: 40 }, (_, i) => als.run('f' + i, () => flow('f' + i, 2))));
        return [wrong.length, wrong.slice(0, 3), get()];`,
    });
  });

  it('timers, microtasks, ticks, then, catch, finally, event emitters', async () => {
    await compare(runtime, IMPORTS, {
      callbacks: `const out = []; const note = (name) => () => out.push(name + get()); await als.run('c', () => Promise.all([new Promise((r) => setTimeout(() => r(note('timeout')()), 1)), new Promise((r) => setImmediate(() => r(note('immediate')()))), new Promise((r) => queueMicrotask(() => r(note('microtask')()))), new Promise((r) => process.nextTick(() => r(note('tick')()))), sleep(1).then(note('sleep')), promisify((done) => setTimeout(done, 1))().then(note('promisified'))])); return out.sort();`,
      interval: `return als.run('i', () => new Promise((resolve) => { const seen = []; const timer = setInterval(() => { seen.push(get()); if (seen.length === 3) { clearInterval(timer); resolve(seen); } }, 1); }));`,
      chain: `const p = als.run('made', () => Promise.resolve(1)); const out = []; await als.run('chained', () => p.then(() => out.push(get())).then(() => { throw new Error('x'); }).catch(() => out.push(get())).finally(() => out.push(get()))); await p.then(() => out.push(get())); return out;`,
      emitter: `const e = new EventEmitter(); const out = []; als.run('listener', () => e.on('x', () => out.push(get()))); als.run('emitter', () => e.emit('x')); const r = als.run('resource', () => new EventEmitterAsyncResource({ name: 'R' })); r.on('y', () => out.push(get())); r.emit('y'); const waited = als.run('once', async () => { await once(e, 'z'); return get(); }); e.emit('z'); return [out, await waited];`,
      statics: `const bound = als.run('b', () => AsyncLocalStorage.bind((x) => [get(), x])); const snap = als.run('s', () => AsyncLocalStorage.snapshot()); const resource = als.run('r', () => new AsyncResource('T')); return [bound(1), als.run('no', () => bound(2)), snap(get), als.run('no', () => snap((a) => [get(), a], 5)), resource.runInAsyncScope(function (a) { return [get(), this.t, a]; }, { t: 1 }, 2), resource.bind(get)(), als.run('st', () => AsyncResource.bind(get))(), typeof resource.asyncId()];`,
    });
  });

  it('generators, iterators and streams', async () => {
    await compare(runtime, IMPORTS, {
      generator: `async function* numbers() { try { for (let i = 0; i < 3; i++) { await tick(); yield get() + i; } return get(); } finally { await 0; } } return als.run('g', async () => { const out = []; for await (const n of numbers()) out.push(n, get()); const it = numbers(); out.push(await it.next(), await it.return('r'), get()); return out; });`,
      yields: `async function* y() { const a = yield; const b = yield Promise.resolve(a + get()); yield* inner(); yield b; return tick().then(get); } async function* inner() { yield await get(); yield 'in'; } return als.run('y', async () => { const it = y(); return [await it.next(), await it.next('x'), await it.next('b'), await it.next(), await it.next(), await it.next(), get()]; });`,
      queued: `async function* g() { yield; yield get(); yield get(); } return als.run('q', async () => { const it = g(); const all = await Promise.all([it.next(), it.next(), it.next(), it.next()]); return [all, get()]; });`,
      sync: `return als.run('s', async () => { const out = []; for await (const v of [1, Promise.resolve(2), tick()]) out.push(v, get()); try { for await (const v of [Promise.reject(new Error('e'))]) out.push(v); } catch (e) { out.push(e.message, get()); } let closed = 0; const it = { [Symbol.iterator]: () => ({ next: () => ({ value: 1, done: false }), return() { closed++; return {}; } }) }; for await (const v of it) break; out.push(closed, await (async () => { for await (const x of 5) x; })().catch((e) => e.name)); return out; });`,
      web: `const out = []; await als.run('web', async () => { const stream = new ReadableStream({ async pull(c) { await 0; out.push('pull ' + get()); c.enqueue(1); if (out.length > 4) c.close(); } }).pipeThrough(new TransformStream({ async transform(c, t) { await tick(); out.push('transform ' + get()); t.enqueue(c); } })); for await (const chunk of stream) out.push('read ' + get()); }); return [new Set(out.map((x) => x.split(' ')[1])).size, out[0], out.length > 4];`,
      node: `return als.run('n', async () => { const out = []; await pipeline(Readable.from(['a', 'b']), new Transform({ transform(c, e, cb) { out.push('t' + get()); setTimeout(cb, 1, null, c); } }), async (source) => { for await (const c of source) out.push(get()); }); return [out, get()]; });`,
    });
  });

  it('requests that run at the same time have one each', async () => {
    await runtime.deploy('requests', {
      compatibilityFlags: ['nodejs_als'],
      modules: {
        'index.js': `
          import { AsyncLocalStorage } from 'node:async_hooks';
          import { user } from './lib.cjs';
          const als = new AsyncLocalStorage();
          globalThis.currentUser = () => als.getStore();
          let waiting = [];
          export default {
            async fetch(request, env, ctx) {
              const before = als.getStore();
              const id = new URL(request.url).pathname;
              return als.run(id, async () => {
                await new Promise((resolve) => { waiting.push(resolve); if (waiting.length === 2) for (const go of waiting) go(); });
                const seen = [als.getStore(), await user()];
                ctx.waitUntil((async () => { await 1; if (als.getStore() !== id) throw new Error('lost'); })());
                const body = new ReadableStream({ async pull(controller) { await null; controller.enqueue(new TextEncoder().encode(als.getStore())); controller.close(); } });
                seen.push(await new Response(body).text());
                await request.text();
                seen.push(als.getStore());
                return Response.json([before ?? null, ...seen]);
              });
            },
          };`,
        'lib.cjs': `'use strict'; exports.user = async () => { await null; return (function () { return this === undefined; })() ? currentUser() : 'sloppy'; };`,
      },
    });
    const answers = await Promise.all(
      ['a', 'b'].map(async (path) => (await runtime.fetch('requests', new Request(`https://w.test/${path}`))).json()),
    );
    assert.deepEqual(answers, [
      [null, '/a', '/a', '/a', '/a'],
      [null, '/b', '/b', '/b', '/b'],
    ]);
  });

  it("stacks name the author's lines all the same", async () => {
    const source = `import 'node:async_hooks';
const value = async (x: number): Promise<number> => (await 1) + (await x);
export default {
  async fetch(): Promise<Response> {
    return new Response(String((await value(await 2)) + (await value(3)) + missing()));
  },
};
function missing(): never { throw new Error('here'); }
`;
    const { code, map } = transformSync(source, {
      loader: 'ts',
      minify: true,
      sourcemap: 'external',
      sourcefile: 'a.ts',
    });
    const { promise, resolve } = Promise.withResolvers<InvocationRecord>();
    await using own = await createRuntime({ onRecord: resolve });
    await own.deploy('w', {
      modules: { 'index.js': code },
      sourceMaps: { 'index.js.map': map },
      compatibilityFlags: ['nodejs_compat'],
    });
    await own.fetch('w', new Request('https://worker.test/'));
    const [exception] = (await promise).exceptions;
    assert.match(exception!.stack, /a\.ts:8:35[^]*a\.ts:5:76/);
  });
});
