import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { WorkerName } from '../ids.ts';
import { createRuntime, type DeployOptions, type InvocationRecord, type Runtime } from '../index.ts';

describe('Modules of a Worker', () => {
  let runtime: Runtime;
  let count = 0;
  const records: InvocationRecord[] = [];

  before(async () => {
    runtime = await createRuntime({ onRecord: (record) => records.push(record) });
  });
  after(() => runtime.close());

  const deploy = async (modules: DeployOptions['modules'], options: Partial<DeployOptions> = {}): Promise<string> => {
    const name = `worker-${count++}`;
    await runtime.deploy(name, { modules, ...options });
    return name;
  };
  const get = async (name: string, path = '/'): Promise<string> =>
    (await runtime.fetch(name, new Request(`http://worker${path}`))).text();
  /** What a Worker answers whose handler evaluates this expression. */
  const answer = async (expression: string, modules: DeployOptions['modules'] = {}): Promise<string> =>
    get(
      await deploy({
        'index.js': `export default { async fetch(request, env, ctx) { return new Response(String(${expression})) } }`,
        ...modules,
      }),
    );

  describe('import()', () => {
    it('evaluates a module on demand, once, and shares it with static imports', async () => {
      const name = await deploy({
        'index.js': `
          globalThis.log = [];
          export default { async fetch() {
            log.push('asked');
            const one = await import('./lazy.js');
            const two = await import('./lib/../lazy.js');
            return new Response([...log, one === two, one.value, one.default()].join());
          } }`,
        'lazy.js': `import { dep } from './dep.js'; log.push('lazy'); export let value = dep + 1; export default () => ++value;`,
        'dep.js': `log.push('dep'); export const dep = 1;`,
      });
      assert.equal(await get(name), 'asked,dep,lazy,true,2,3');
      assert.equal(await get(name), 'asked,dep,lazy,asked,true,3,4');
    });

    it('takes computed specifiers, and those of any kind of module', async () => {
      const modules = {
        'lib/a.js': 'export const name = "a"; export const sibling = () => import("./b.js")',
        'lib/b.js': 'export const name = "b"',
        'data.json': '{"x":[1]}',
        'note.txt': 'hello',
        'old.cjs': 'exports.name = "old"',
        'bytes.bin': new Uint8Array([1, 2, 3]),
      };
      assert.equal(await answer(`(await import(['./lib', 'a.js'].join('/'))).name`, modules), 'a');
      assert.equal(await answer(`(await (await import('./lib/a.js')).sibling()).name`, modules), 'b');
      assert.equal(await answer(`(await import(new URL('./lib/a.js', import.meta.url))).name`, modules), 'a');
      assert.equal(
        await answer(`(await import('./data.json', { with: { type: 'json' } })).default.x[0]`, modules),
        '1',
      );
      assert.equal(await answer(`(await import('./note.txt')).default`, modules), 'hello');
      assert.equal(await answer(`(await import('./old.cjs')).name`, modules), 'old');
      assert.equal(await answer(`(await import('./bytes.bin')).default.byteLength`, modules), '3');
      assert.equal(await answer(`typeof (await import('cloudflare:workers')).waitUntil`), 'function');
    });

    it('waits for a top-level await, also of what the module imports itself', async () => {
      const modules = {
        'a.js': `const { b } = await import('./b.js'); export const a = b + await Promise.resolve(1);`,
        'b.js': 'await null; export const b = 1;',
      };
      assert.equal(await answer(`(await import('./a.js')).a`, modules), '2');
      const name = await deploy({
        'index.js': `const { a } = await import('./a.js'); export default { fetch: () => new Response(a) }`,
        ...modules,
      });
      assert.equal(await get(name), '2');
    });

    it('goes on once a promise of the Worker settles that a module waits for', async () => {
      const modules = {
        'index.js': `
          globalThis.gate = Promise.withResolvers();
          export default { async fetch(request) {
            if (!request.url.endsWith('/')) while (!globalThis.started) await scheduler.wait(1);
            if (request.url.endsWith('/open')) { gate.resolve(7); return new Response('opened') }
            if (request.url.endsWith('/fail')) { gate.reject(new RangeError('gone')); return new Response('failed') }
            const timer = setInterval(() => {}, 5);
            try { return new Response((await import('./waits.js')).value) }
            catch (error) { return new Response(error.name + error.message) }
            finally { clearInterval(timer) }
          } }`,
        'waits.js': `globalThis.started = true; export const value = await gate.promise;`,
      };
      const name = await deploy(modules);
      const waiting = [get(name), get(name)];
      await get(name, '/open');
      assert.deepEqual(await Promise.all(waiting), ['7', '7']);
      const failing = await deploy(modules);
      const rejected = [get(failing), get(failing)];
      await get(failing, '/fail');
      assert.deepEqual(await Promise.all(rejected), ['RangeErrorgone', 'RangeErrorgone']);
    });

    it('rejects with what the module throws, the same error each time', async () => {
      const modules = {
        'bad.js': 'throw new RangeError("too bad")',
        'text.js': 'throw "just text"',
        'late.js': 'await null; throw new TypeError("late")',
        'syntax.js': 'let 1',
        'links.js': 'import { nothing } from "./bad.js"',
      };
      const caught = (specifier: string) => `await import('${specifier}').catch((error) => error)`;
      assert.equal(
        await answer(
          `((one, two) => [one instanceof RangeError, one.message, one === two, /bad\\.js:1:7/.test(one.stack), /isolated|dynamic-imports/.test(one.stack)])
            (${caught('./bad.js')}, ${caught('./bad.js')})`,
          modules,
        ),
        'true,too bad,true,true,false',
      );
      assert.equal(await answer(caught('./text.js'), modules), 'just text');
      assert.equal(await answer(caught('./late.js'), modules), 'TypeError: late');
      assert.match(await answer(caught('./syntax.js'), modules), /Unexpected/);
      assert.match(await answer(caught('./links.js'), modules), /does not provide an export named 'nothing'/);
      assert.match(await answer(caught('./none.js'), modules), /No such module "\.\/none\.js"/);
      assert.match(await answer(`await import(Symbol()).catch((error) => error)`), /TypeError/);
      assert.equal(records.filter(({ exceptions }) => exceptions.length > 0).length, 0);
    });

    it('runs no I/O of a module that is evaluated, and leaves the event that asked as it was', async () => {
      const name = await deploy({
        'index.js': `export default { async fetch(request, env, ctx) {
          const { failed } = await import('./io.js');
          await scheduler.wait(1);
          return new Response(failed);
        } }`,
        'io.js': 'export let failed = ""; try { setTimeout(() => {}, 1) } catch (error) { failed = error.message }',
      });
      assert.match(await get(name), /global scope/);
    });

    it('works at a start and in events of either place, long or short', async () => {
      const name = await deploy({
        'index.js': `
          for (let end = 0; end < 2e7; end++); // too long for a start inline
          const { a } = await import('./a.js');
          let load = async () => 'warm';
          export default { async fetch(request) {
            if (request.url.endsWith('/b')) load = async () => (await import('./b.js')).b + (await import('./c.js')).c;
            return new Response(a + (await load()));
          } }`,
        'a.js': 'export const { b: a } = await import("./b.js");',
        'b.js': 'export const b = "b";',
        'c.js': 'await Promise.resolve(); export const { b: c } = await import("./b.js");',
      });
      for (let call = 0; call < 5; call++) assert.equal(await get(name), 'bwarm');
      assert.equal(await get(name, '/b'), 'bbb');
      assert.equal(await get(name), 'bbb');
    });

    it('does what it did when a Worker replaces the built-ins it is made of', async () => {
      const name = await deploy({
        'index.js': `
          const { defineProperty } = Object, broken = () => { throw new Error('replaced') };
          defineProperty(Object.prototype, 'then', { get() { return undefined } });
          globalThis.__isola_take = broken;
          for (const [object, keys] of [[Promise, ['resolve']], [Promise.prototype, ['then']], [Map.prototype, ['get', 'set']],
            [String.prototype, ['slice', 'indexOf']], [RegExp.prototype, ['exec', 'test']], [JSON, ['parse']], [Object, ['create', 'defineProperty']]])
            for (const key of keys) object[key] = broken;
          export default { async fetch() {
            const { value } = await import('./a.js');
            try { await import('./none.js') } catch ({ message }) { return new Response(value + message) }
          } }`,
        'a.js': 'export const { value } = (await import("./b.cjs")).default;',
        'b.cjs': 'module.exports = { value: require("./note.txt") + typeof require("cloudflare:workers").env };',
        'note.txt': 'note',
      });
      assert.match(await get(name), /^noteobjectNo such module "\.\/none\.js"/);
    });

    it('is within the CPU limit of the event that asks', async () => {
      const name = await deploy(
        {
          'index.js': `export default { async fetch() { await import('./spins.js'); return new Response('never') } }`,
          'spins.js': 'for (;;);',
        },
        { limits: { cpuMs: 20 } },
      );
      assert.match(await get(name), /./);
      await runtime.fetch(name, new Request('http://a/')).then((response) => response.text());
      assert.equal(records.find(({ worker }) => worker === name)?.outcome, 'exceededCpu');
    });

    it('runs no getter of the tenant beyond the CPU limit, whatever it imports', async () => {
      for (const specifier of ['node:process', './imports.js']) {
        const name = await deploy(
          {
            'index.js': `export default { async fetch() {
              Object.defineProperty(process, 'trap', { enumerable: true, get() { for (;;); } });
              await import('${specifier}');
              return new Response('never');
            } }`,
            'imports.js': 'import "node:process"',
          },
          { limits: { cpuMs: 20 }, compatibilityDate: '2026-01-01', compatibilityFlags: ['nodejs_compat'] },
        );
        const response = await runtime.fetch(name, new Request('http://a/'));
        assert.equal(response.headers.get('x-isola-outcome'), 'exceededCpu', specifier);
      }
    });
  });

  it('import.meta tells the URL of each module', async () => {
    const modules = {
      'lib/a.js':
        'export const meta = import . meta; const text = `import.meta ${import.meta.url}`; export { text } // import.meta',
    };
    assert.equal(
      await answer(`[import.meta.url, import.meta.main, import.meta.resolve('./x.js')]`),
      'file:///bundle/index.js,true,file:///bundle/x.js',
    );
    assert.equal(
      await answer(`await import('./lib/a.js').then(({ meta, text }) => [meta.url, meta.main, text])`, modules),
      'file:///bundle/lib/a.js,false,import.meta file:///bundle/lib/a.js',
    );
  });

  it('keeps lines and columns where they were', async () => {
    await assert.rejects(
      deploy({
        'index.js': '// import(1)\nimport.meta; await import("./none.js").catch(() => {}); throw new Error("here")',
      }),
      { message: /here\n {2}at index\.js:2:63/ },
    );
    await assert.rejects(deploy({ 'index.js': 'import "./c.cjs"', 'c.cjs': '  throw new Error("there")' }), {
      message: /there\n {2}at c\.cjs:1:9/,
    });
  });

  describe('CommonJS', () => {
    it('has require, module and exports, is sloppy code, and may be circular', async () => {
      const modules = {
        'a.cjs': `exports.early = 1; const b = require('./b.cjs'); exports.late = b.seen; exports.self = this === exports; sloppy = 1; exports.sloppy = sloppy;`,
        'b.cjs': `const a = require('./a'); module.exports = { seen: [a.early, a.late].join('/') };`,
      };
      assert.equal(
        await answer(
          `await import('./a.cjs').then(({ default: a, early, late, self }) => [a.late, early, late, self, a.sloppy])`,
          modules,
        ),
        '1/,1,1/,true,1',
      );
    });

    it('is imported by default and by the names of its exports, also those of another it exports', async () => {
      const name = await deploy({
        'index.js': `
          import whole, { one, two, 'module.exports' as same } from './index.cjs';
          import { __esModule } from './index.cjs';
          export default { fetch: () => new Response([one, two, whole === same, whole.one].join()) }`,
        'index.cjs': `module.exports = require('./inner.cjs');`,
        'inner.cjs': `Object.defineProperty(exports, '__esModule', { value: true }); exports.one = 1; exports.two = 2;`,
      });
      assert.equal(await get(name), '1,2,true,1');
    });

    it('requires ES modules, text, JSON, data, and modules of the runtime', async () => {
      const modules = {
        'all.cjs': `
          const { name, default: d } = require('./es.js');
          module.exports = [name, d, require('./note.txt'), require('./data.json').x, require('./bytes.bin').byteLength,
            typeof require('cloudflare:workers').WorkerEntrypoint].join();`,
        'es.js': 'export const name = "es"; export default await Promise.resolve(2);',
        'note.txt': 'note',
        'data.json': '{"x":3}',
        'bytes.bin': new Uint8Array(4),
      };
      assert.equal(await answer(`(await import('./all.cjs')).default`, modules), 'es,2,note,3,4,function');
    });

    it('fails to require what there is not, or what it cannot wait for, with a clear error', async () => {
      const modules = {
        'a.cjs': `exports.find = (name) => { try { return require(name) } catch (error) { return error.code + error.message } }; exports.load = (name) => import(name);`,
        'es.js': 'export const name = "es"',
      };
      const use = (expression: string) =>
        answer(`await import('./a.cjs').then(({ find, load }) => ${expression})`, modules);
      assert.match(await use(`find('fs')`), /MODULE_NOT_FOUNDNo such module "fs"\.\n {2}required from "a\.cjs"/);
      assert.match(await use(`find('./es.js')`), /Cannot require the ES module/);
      assert.equal(await use(`load('./es.js').then(() => find('./es.js').name)`), 'es');
    });
  });

  describe('service-worker syntax', () => {
    const format = 'service-worker';

    it('answers events of the listeners, with bindings as globals', async () => {
      const name = await deploy(
        {
          'script.js': `
            addEventListener('fetch', (event) => { event.waitUntil(later()); event.respondWith(answer(event)) });
            async function later() {}
            async function answer({ request, type }) { return new Response([type, GREETING, CONFIG.a, TEXT, DATA.byteLength, this === undefined, request.url].join()) }`,
          'TEXT.txt': 'text',
          'DATA.bin': new Uint8Array(2),
        },
        {
          format,
          bindings: [
            { type: 'plain_text', name: 'GREETING', text: 'hi' },
            { type: 'json', name: 'CONFIG', json: { a: 1 } },
            { type: 'text_blob', name: 'TEXT', part: 'TEXT.txt' },
            { type: 'data_blob', name: 'DATA', part: 'DATA.bin' },
          ],
        },
      );
      assert.equal(await get(name), 'fetch,hi,1,text,2,false,http://worker/');
    });

    it('needs a listener at the start and an answer for each event', async () => {
      await assert.rejects(deploy({ 's.js': 'const x = 1' }, { format }), /has no event listeners/);
      await assert.rejects(deploy({ 's.js': '\nthrow new Error("no")' }, { format }), /no\n {2}at s\.js:2:7/);
      const name = await deploy({ 's.js': 'addEventListener("fetch", () => {})' }, { format });
      await get(name);
      const record = records.find(({ worker }) => worker === name);
      assert.match(record?.exceptions[0]?.message ?? '', /respondWith/);
    });
  });

  describe('cloudflare:workers', () => {
    it('has the environment from the first line on, and waitUntil for the event at hand', async () => {
      const name = await deploy(
        {
          'index.js': `
            import { env, waitUntil, WorkerEntrypoint } from 'cloudflare:workers';
            const top = env.MODE;
            let kept = 0;
            export default class extends WorkerEntrypoint {
              fetch(request) {
                waitUntil(Promise.resolve().then(() => { kept++ }));
                this.ctx.waitUntil(1);
                return new Response([top, this.env.MODE, this.env === env, kept].join());
              }
            }
            export class Admin extends WorkerEntrypoint {}`,
        },
        { bindings: [{ type: 'plain_text', name: 'MODE', text: 'test' }] },
      );
      assert.equal(await get(name), 'test,test,true,0');
      assert.equal(await get(name), 'test,test,true,1');
    });

    it('has the classes of what is not there yet; other modules of that kind are refused by name', async () => {
      const name = await deploy({
        'index.js': `
          import { DurableObject, RpcTarget } from 'cloudflare:workers';
          export class Counter extends DurableObject {}
          class Target extends RpcTarget {}
          export default { fetch: () => new Response(String(new Target() instanceof RpcTarget)) }`,
      });
      assert.equal(await get(name), 'true');
      await assert.rejects(
        deploy({ 'index.js': 'import { connect } from "cloudflare:sockets"; export default { fetch() {} }' }),
        /No such module "cloudflare:sockets": it is not available on this platform\.\n {2}imported from "index\.js"/,
      );
    });
  });

  it('exports named entrypoints, by whose fetch a service binding calls them', async () => {
    const callee = await deploy({
      'index.js': `
        import { WorkerEntrypoint } from 'cloudflare:workers';
        export default { fetch: () => new Response('default') };
        export class Admin extends WorkerEntrypoint {
          async fetch(request) { return new Response('admin ' + request.method + (await request.text()) + typeof this.ctx.waitUntil) }
        }
        export const plain = { fetch: () => new Response('plain') };
        export const nothing = 1;`,
    });
    const caller = await deploy(
      {
        'index.js': `export default { async fetch(request, env) {
          const name = new URL(request.url).pathname.slice(1);
          return env[name].fetch('http://a/', { method: 'POST', body: '!' });
        } }`,
      },
      {
        bindings: ['Admin', 'plain', 'nothing', 'missing', 'toString'].map((entrypoint) => ({
          type: 'service' as const,
          name: entrypoint,
          service: callee as WorkerName,
          entrypoint,
        })),
      },
    );
    assert.equal(await get(caller, '/Admin'), 'admin POST!function');
    assert.equal(await get(caller, '/plain'), 'plain');
    for (const name of ['nothing', 'missing', 'toString']) await get(caller, `/${name}`);
    const errors = records.flatMap(({ worker, exceptions }) => (worker === callee ? exceptions : []));
    assert.equal(errors.filter(({ message }) => message.includes('has no entrypoint')).length, 3);
  });

  it('does not mind a module that is wrong as long as nobody imports it', async () => {
    assert.equal(await answer('1', { 'broken.js': 'let 1', 'needs.js': 'import "nowhere"' }), '1');
    await assert.rejects(answer('1', { 'index.js': 'import "./broken.js"', 'broken.js': '\nlet 1' }), /broken\.js:2:1/);
  });

  it('says that a top-level await has not ended', async () => {
    await assert.rejects(
      deploy({ 'index.js': 'await new Promise(() => {}); export default { fetch() {} }' }),
      /still waiting/,
    );
  });
});
