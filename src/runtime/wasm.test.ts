import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { WorkerLimits } from '../limits.ts';
import { Runtime } from './runtime.ts';

// (module (memory (export "m") 1) (func (export "f") (result i32) i32.const 42))
const BINARY = [
  0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 9, 2, 1, 0x6d, 2, 0, 1,
  0x66, 0, 0, 10, 6, 1, 4, 0, 0x41, 42, 0x0b,
];
const PRELUDE = `const binary = new Uint8Array(${JSON.stringify(BINARY)});
const response = (type = 'application/wasm', status = 200) => new Response(binary, { status, headers: { 'content-type': type } });`;

describe('WebAssembly that a Worker compiles', () => {
  let runtime: Runtime;
  before(async () => {
    runtime = await Runtime.create({});
  });
  after(() => runtime.close());

  async function run(body: string, limits: Partial<WorkerLimits> = {}): Promise<string> {
    const source = `${PRELUDE}\nexport default { async fetch() {
      try { return new Response(String(await (async () => { ${body} })())) }
      catch (error) { return new Response(error.name + ': ' + error.message) }
    } }`;
    await runtime.deploy('worker', { modules: { 'index.js': source }, limits });
    return (await runtime.fetch('worker', new Request('http://worker.example/'))).text();
  }

  it('comes from bytes, a response, or a promise of one', async () => {
    const ways = [
      'new WebAssembly.Instance(new WebAssembly.Module(binary))',
      'new WebAssembly.Instance(await WebAssembly.compile(binary.buffer))',
      '(await WebAssembly.instantiate(binary)).instance',
      'await WebAssembly.instantiate(new WebAssembly.Module(binary))',
      'new WebAssembly.Instance(await WebAssembly.compileStreaming(response()))',
      `(await WebAssembly.instantiateStreaming(Promise.resolve(response('Application/WASM')))).instance`,
    ];
    for (const way of ways) assert.equal(await run(`return (${way}).exports.f()`), '42', way);
    assert.equal(
      await run('return [WebAssembly.validate(binary), WebAssembly.validate(new Uint8Array(9))]'),
      'true,false',
    );
  });

  it('may use the built-ins for strings, and import constants', async () => {
    // (module (import "wasm:js-string" "length" (func (param externref) (result i32))) (export "length" (func 0)))
    const strings = [
      0,
      0x61,
      0x73,
      0x6d,
      1,
      0,
      0,
      0,
      1,
      6,
      1,
      0x60,
      1,
      0x6f,
      1,
      0x7f,
      2,
      25,
      1,
      14,
      ...Buffer.from('wasm:js-string'),
      6,
      ...Buffer.from('length'),
      0,
      0,
      7,
      10,
      1,
      6,
      ...Buffer.from('length'),
      0,
      0,
    ];
    const ways = [
      'new WebAssembly.Instance(new WebAssembly.Module(strings, options))',
      'new WebAssembly.Instance(await WebAssembly.compile(strings, options))',
      '(await WebAssembly.instantiate(strings, undefined, options)).instance',
      `(await WebAssembly.instantiateStreaming(new Response(strings, { headers: { 'content-type': 'application/wasm' } }), undefined, options)).instance`,
    ];
    const given = `const strings = new Uint8Array(${JSON.stringify(strings)}); const options = { builtins: ['js-string'] };`;
    for (const way of ways) assert.equal(await run(`${given} return (${way}).exports.length('abc')`), '3', way);
    assert.match(await run(`${given} return new WebAssembly.Instance(new WebAssembly.Module(strings))`), /^TypeError/);
  });

  it('is compiled only for whom the account allows it', async () => {
    const ways = [
      'return new WebAssembly.Module(binary)',
      'return await WebAssembly.compile(binary)',
      'return await WebAssembly.instantiate(binary)',
      'return await WebAssembly.compileStreaming(response())',
      'return await WebAssembly.instantiateStreaming(response())',
    ];
    for (const way of ways) {
      assert.match(
        await run(way, { wasmBinaryMiB: 0 }),
        /^CompileError: WebAssembly\.\w+\(\): compiling from bytes is not allowed here; upload it as a module/,
      );
    }
    const source = `import module from './own.wasm';
      export default { fetch: () => new Response(String(new WebAssembly.Instance(module).exports.f())) }`;
    const modules = { 'index.js': source, 'own.wasm': new Uint8Array(BINARY) };
    await runtime.deploy('own', { modules, limits: { wasmBinaryMiB: 0 } });
    assert.equal(await (await runtime.fetch('own', new Request('http://own.example/'))).text(), '42');
  });

  it('is as large as the account allows', async () => {
    // A custom section makes it as long as is wanted: its id, its length in three bytes, the length of its name, padding.
    const padded = (byteLength: number): string => `const large = new Uint8Array(${byteLength}); large.set(binary);
      const size = ${byteLength} - binary.length - 4;
      large.set([0, (size & 127) | 128, ((size >> 7) & 127) | 128, size >> 14, 0], binary.length);
      return new WebAssembly.Module(large)`;
    const limits = { wasmBinaryMiB: 1 };
    assert.match(await run(padded(2 ** 20), limits), /WebAssembly\.Module/);
    assert.match(
      await run(padded(2 ** 20 + 1), limits),
      /^CompileError: .*the binary has 1048577 bytes, limit is 1048576/,
    );
  });

  it('has its memories capped, whatever the Worker does to built-ins and to the bytes meanwhile', async () => {
    const grow = `const { m } = (await promise).instance.exports; try { m.grow(3000); return 'grown' } catch (error) { return error.name }`;
    assert.equal(await run(`const promise = WebAssembly.instantiate(binary); ${grow}`), 'RangeError');
    assert.equal(
      await run(`Uint8Array.prototype.subarray = function () { return this }; Array.prototype.push = () => 0;
        const promise = WebAssembly.instantiate(binary); binary.fill(0); ${grow}`),
      'RangeError',
    );
    assert.match(
      await run(
        `const large = binary.slice(); large.set([5, 5, 1, 1, 0x80, 0x80, 2], 19); return new WebAssembly.Module(large)`,
      ),
      /^CompileError/,
    );
  });

  it('is refused by the standard\u2019s errors', async () => {
    const cases = [
      ['WebAssembly.compile(new Uint8Array(8))', /^CompileError: WebAssembly\.compile\(\): /],
      ['WebAssembly.compile()', /^TypeError/],
      ['new WebAssembly.Module({})', /^TypeError/],
      ['WebAssembly.Module(binary)', /^TypeError: .*must be invoked with 'new'/],
      [`WebAssembly.compileStreaming(response('text/plain'))`, /^TypeError: .*application\/wasm/],
      [`WebAssembly.compileStreaming(response('application/wasm;x=1'))`, /^TypeError/],
      [`WebAssembly.compileStreaming(response(undefined, 404))`, /^TypeError: .*404/],
      [`WebAssembly.compileStreaming(binary)`, /^TypeError: .*Response/],
      [`WebAssembly.instantiateStreaming(Promise.reject(new RangeError('own')))`, /^RangeError: own/],
      [`const used = response(); await used.text(); await WebAssembly.compileStreaming(used)`, /^TypeError: .*used/],
      ['WebAssembly.instantiate(binary, 1)', /^TypeError/],
    ] as const;
    for (const [code, expected] of cases) {
      const last = code.lastIndexOf('; ') < 0 ? `return ${code}` : code;
      assert.match(await run(last), expected, code);
    }
  });

  it('is bounded in all', async () => {
    assert.match(
      await run(`const padded = new Uint8Array(binary.length + 6 + 3_000_000);
        padded.set(binary); padded.set([0, 0x83, 0x8e, 0xb7, 0x01, 0], binary.length);
        const all = []; for (;;) all.push(new WebAssembly.Module(padded))`),
      /^(RangeError: .*bytes are alive|CompileError)/,
    );
  });
});
