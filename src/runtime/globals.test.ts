import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { Runtime } from './runtime.ts';

/** Of the Minimum Common Web API (Ecma TC55, WinterTC), and what Workers have besides. */
const INTERFACES = `
  AbortController AbortSignal Blob ByteLengthQueuingStrategy CompressionStream CountQueuingStrategy
  Crypto CryptoKey CustomEvent DecompressionStream DOMException ErrorEvent Event EventTarget File FormData
  Headers MessageChannel MessageEvent MessagePort Performance PromiseRejectionEvent
  ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest
  ReadableStreamDefaultController ReadableStreamDefaultReader Request Response SubtleCrypto TextDecoder
  TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController URL
  URLPattern URLSearchParams WritableStream WritableStreamDefaultController WritableStreamDefaultWriter
  HTMLRewriter EventSource WebSocket WebSocketPair PerformanceObserver FixedLengthStream
  IdentityTransformStream Scheduler TaskController TaskPriorityChangeEvent TaskSignal`
  .trim()
  .split(/\s+/);
const FUNCTIONS = `
  atob btoa clearInterval clearTimeout fetch queueMicrotask reportError setInterval setTimeout
  structuredClone addEventListener removeEventListener dispatchEvent`
  .trim()
  .split(/\s+/);
const OBJECTS = ['console', 'crypto', 'globalThis', 'navigator', 'performance', 'scheduler', 'self', 'WebAssembly'];
const HANDLERS = ['onerror', 'onrejectionhandled', 'onunhandledrejection'];
const WASM = `
  Global Instance Memory Module Table Tag Exception CompileError LinkError RuntimeError compile
  compileStreaming instantiate instantiateStreaming validate`
  .trim()
  .split(/\s+/);
const CONSOLE = `
  assert clear count countReset debug dir dirxml error group groupCollapsed groupEnd info log profile
  profileEnd table time timeEnd timeLog timeStamp trace warn`
  .trim()
  .split(/\s+/);

it('a Worker has every interface, function and object of the Minimum Common Web API', async () => {
  const code = `
    const has = (object, names, type) => names.filter((name) => typeof object[name] !== type);
    export default { fetch: () => Response.json([
      has(globalThis, ${JSON.stringify(INTERFACES)}, 'function'),
      ${JSON.stringify(INTERFACES)}.filter((name) => globalThis[name].name !== name || Object.keys(globalThis).includes(name)),
      has(globalThis, ${JSON.stringify(FUNCTIONS)}, 'function'),
      has(globalThis, ${JSON.stringify(OBJECTS)}, 'object'),
      ${JSON.stringify(HANDLERS)}.filter((name) => globalThis[name] !== null),
      has(WebAssembly, ${JSON.stringify(WASM)}, 'function'),
      has(console, ${JSON.stringify(CONSOLE)}, 'function'),
      [typeof location, typeof document, typeof window, typeof process].filter((type) => type !== 'undefined'),
    ]) };`;
  await using runtime = await Runtime.create({});
  await runtime.deploy('worker', { modules: { 'index.js': code } });
  const response = await runtime.fetch('worker', new Request('http://worker.example/'));
  assert.deepEqual(await response.json(), [[], [], [], [], [], [], [], []]);
});

it('interfaces are there although built-ins have been replaced before they are loaded', async () => {
  const code = `
    export default { fetch(request) {
      const names = decodeURIComponent(request.url.slice(request.url.indexOf('?') + 1)).split(' ');
      const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
      const { ownKeys, defineProperty } = Reflect;
      const broken = () => { throw new Error('replaced') };
      const methods = [Array, Map, Promise, RegExp, Set, String, WeakMap, getPrototypeOf(Uint8Array)]
        .flatMap(({ prototype }) => ownKeys(prototype).map((key) => [prototype, key, getOwnPropertyDescriptor(prototype, key)]))
        .filter(([, key, { value }]) => key !== 'constructor' && typeof value === 'function');
      const replaced = { __proto__: null, value: broken };
      for (let i = 0; i < methods.length; i++) defineProperty(methods[i][0], methods[i][1], replaced);
      let failed = '';
      for (let i = 0; i < names.length; i++) {
        try { if (typeof globalThis[names[i]] !== 'function') failed += ' ' + names[i]; }
        catch (error) { failed += ' ' + names[i] + ': ' + error.message; }
      }
      for (let i = 0; i < methods.length; i++) defineProperty(methods[i][0], methods[i][1], methods[i][2]);
      return new Response(failed);
    } };`;
  await using runtime = await Runtime.create({});
  // Code that names streams has them from the start.
  for (const [name, extra] of [
    ['plain', ''],
    ['streams', 'void ReadableStream;'],
  ] as const) {
    await runtime.deploy(name, { modules: { 'index.js': extra + code } });
    const url = `http://worker.example/?${encodeURIComponent(INTERFACES.join(' '))}`;
    assert.equal(await (await runtime.fetch(name, new Request(url))).text(), '', name);
  }
});

/** Of a Worker's global scope, as its types declare it, what there is not here: docs/web-platform.md says so. */
const MISSING = ['Body', 'Cloudflare', 'PerformanceResourceTiming', 'WorkerGlobalScope', 'origin'];
/** Of other products. */
const PRODUCTS = ['TailEvent', 'TraceEvent', 'WebSocketRequestResponsePair'];

it("a Worker has what the types of Cloudflare's global scope declare, but for a few", async () => {
  const types = readFileSync(new URL(import.meta.resolve('@cloudflare/workers-types/index.d.ts')), 'utf8');
  const [, scope = ''] = /^interface ServiceWorkerGlobalScope [^{]*\{\n([^]*?)^\}/m.exec(types) ?? [];
  const names = [...new Set([...scope.matchAll(/^ {2}(?:readonly )?(\w+)[:(<]/gm)].map(([, name]) => name!))];
  assert.ok(names.length > 80);
  await using runtime = await Runtime.create({});
  const code = `export default { fetch: () => Response.json(${JSON.stringify(names)}.filter((name) => !(name in globalThis))) };`;
  const options = { compatibilityDate: '2026-01-01', compatibilityFlags: ['nodejs_compat'] };
  await runtime.deploy('worker', { modules: { 'index.js': code }, ...options });
  const missing = (await (await runtime.fetch('worker', new Request('http://worker.example/'))).json()) as string[];
  assert.deepEqual(missing.toSorted(), [...MISSING, ...PRODUCTS].toSorted());
});

it('what Workers have beside the standards is there', async () => {
  const code = `export default { async fetch() {
    const headers = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2']]);
    const request = new Request('http://a.example/', { cf: { cacheTtl: 5 } });
    const response = new Response('', { cf: { a: 1 } });
    return Response.json([
      headers.getAll('Set-Cookie'),
      (() => { try { headers.getAll('accept'); } catch (error) { return error.name; } })(),
      request.cf, request.clone().cf, new Request(request).cf, new Request('http://a.example/').cf ?? null,
      response.cf, response.clone().cf, new Response().cf ?? null, new Response().webSocket,
      navigator.hardwareConcurrency, navigator.platform, navigator.languages,
      (() => { try { new FetchEvent('fetch'); } catch (error) { return error.name; } })(),
    ]);
  } };`;
  await using runtime = await Runtime.create({});
  await runtime.deploy('worker', { modules: { 'index.js': code } });
  const seen = await (await runtime.fetch('worker', new Request('http://worker.example/'))).json();
  const cf = { cacheTtl: 5 };
  const [a, none] = [{ a: 1 }, null];
  assert.deepEqual(seen, [
    ['a=1', 'b=2'],
    'TypeError',
    cf,
    cf,
    cf,
    none,
    a,
    a,
    none,
    none,
    1,
    'Linux',
    ['en'],
    'TypeError',
  ]);
});
