import assert from 'node:assert/strict';
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
