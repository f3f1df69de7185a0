/** Too much of what is allowed: logs, timers, host calls, subrequests, headers, streams, messages. */
import { stop, survive, toFamily } from '../attack.ts';

const KV = [{ type: 'kv_namespace', name: 'KV', namespace_id: '$KV' }];
const SELF = [{ type: 'service', name: 'SELF', service: '$SELF' }];

export const FLOODS = toFamily('flood', [
  survive('logs', 'for (;;) console.log("x".repeat(1000));'),
  survive('log-large', 'console.log("x".repeat(2 ** 27)); return new Response("over");'),
  survive(
    'log-escapes',
    'for (let i = 0; i < 1000; i++) console.log("\\u001b[2J\\n{\\"event\\":\\"ready\\"}\\r\\u2028"); return new Response("over");',
  ),
  survive('log-burst', 'for (let i = 0; i < 300; i++) console.log("x".repeat(800)); return new Response("over");', {
    trigger: 'burst',
  }),
  survive('timers', 'for (;;) setTimeout(() => {}, 1e6);'),
  survive(
    'timers-zero',
    'let n = 0; for (let i = 0; i < 900; i++) setInterval(() => n++, 0); await scheduler.wait(500); return new Response(n);',
  ),
  survive('pending-fetches', 'for (;;) fetch("http://192.0.2.1/").catch(() => {});'),
  survive('pending-digests', 'for (;;) crypto.subtle.digest("SHA-256", new Uint8Array(1e5));'),
  survive(
    'key-generation',
    'await Promise.all(Array.from({ length: 50 }, () => crypto.subtle.generateKey({ name: "RSA-PSS", modulusLength: 4096, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" }, true, ["sign"]).catch(() => {}))); return new Response("over");',
  ),
  survive(
    'pbkdf2',
    'const key = await crypto.subtle.importKey("raw", new Uint8Array(8), "PBKDF2", false, ["deriveBits"]); await Promise.all(Array.from({ length: 50 }, () => crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-512", salt: new Uint8Array(8), iterations: 1e6 }, key, 256).catch(() => {}))); return new Response("over");',
  ),
  survive('random', 'const bytes = new Uint8Array(65536); for (;;) crypto.getRandomValues(bytes);'),
  survive('service-recursion', 'return env.SELF.fetch(request.url);', { bindings: SELF }),
  survive(
    'service-tree',
    'await Promise.all([0, 1, 2].map(() => env.SELF.fetch(request.url).catch(() => {}))); return new Response("over");',
    { bindings: SELF },
  ),
  survive('service-loops', 'for (;;) { env.SELF.fetch("http://a/warm").catch(() => {}); await null; }', {
    bindings: SELF,
  }),
  survive(
    'service-burst',
    'await Promise.all(Array.from({ length: 40 }, () => env.SELF.fetch(request.url).catch(() => {}))); for (;;);',
    { bindings: SELF, trigger: 'burst' },
  ),
  survive('wait-until', 'for (;;) ctx.waitUntil(new Promise(() => {}));'),
  survive(
    'wait-until-spins',
    'for (let i = 0; i < 20; i++) ctx.waitUntil(scheduler.wait(i).then(() => { for (let j = 0; j < 1e8; j++); })); return new Response("over");',
  ),
  survive('wait-until-burst', 'ctx.waitUntil(scheduler.wait(200)); return new Response("over");', { trigger: 'burst' }),
  survive('burst-of-loops', 'for (;;);', { trigger: 'burst' }),
  survive('burst-never', 'await new Promise(() => {});', { trigger: 'burst' }),
  survive('exceptions', 'throw new Error("x".repeat(1e5));', { trigger: 'burst' }),
  survive('events', 'for (;;) dispatchEvent(new Event("a"));'),
  survive('performance-entries', 'for (let i = 0; ; i++) performance.mark("m" + i);'),
  survive('listeners', 'for (;;) addEventListener("a", () => {});'),
  survive('urls', 'for (let i = 0; ; i++) URL.createObjectURL?.(new Blob([i])) ?? new URL("http://a/" + i);'),
  survive(
    'html-rewriter',
    'return new HTMLRewriter().on("*", { element(e) { e.after("<b>".repeat(100), { html: true }); } }).transform(new Response("<a>".repeat(1e5)));',
  ),
  survive(
    'broadcast',
    'const { port1, port2 } = new MessageChannel(); port2.onmessage = () => {}; for (;;) port1.postMessage(new Uint8Array(1e5));',
  ),
]);

export const HEADERS = toFamily('header', [
  survive(
    'many',
    'const headers = new Headers(); for (let i = 0; i < 1e5; i++) headers.append("h" + i, "v"); return new Response("", { headers });',
  ),
  survive('long', 'return new Response("", { headers: { a: "x".repeat(2 ** 24) } });'),
  survive(
    'cookies',
    'const headers = new Headers(); for (let i = 0; i < 1e4; i++) headers.append("set-cookie", "c" + i + "=" + "x".repeat(4000)); return new Response("", { headers });',
  ),
  survive('split', 'return new Response("", { headers: { a: "b\\r\\nset-cookie: c=d" } });'),
  survive(
    'framing',
    'return new Response("x", { headers: { "content-length": "5", "transfer-encoding": "chunked", connection: "close, upgrade", upgrade: "h2c" } });',
  ),
  survive('status-line', 'return new Response("", { statusText: "OK\\r\\nx: y" });'),
  survive(
    'status-101',
    'return new Response(null, { status: 101, headers: { upgrade: "websocket", connection: "upgrade" } });',
  ),
  survive(
    'ray',
    'return new Response("", { headers: { "x-isola-ray": "forged", "x-isola-anything": "x", server: "x" } });',
  ),
  survive('latin1', 'return new Response("", { headers: { a: "\\u00ff\\u0080", b: "\\u20ac" } });'),
]);

export const STREAMS = toFamily('stream', [
  survive(
    'endless',
    'return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65536)); } }));',
  ),
  survive(
    'endless-unread',
    'return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65536)); } }));',
    { trigger: 'no-reader' },
  ),
  survive(
    'pushes',
    'return new Response(new ReadableStream({ start(controller) { for (;;) controller.enqueue(new Uint8Array(65536)); } }));',
  ),
  survive(
    'tiny-chunks',
    'return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(1)); } }));',
  ),
  survive('unread-large', 'return new Response("x".repeat(1e8));', { trigger: 'no-reader' }),
  survive('never-filled', 'return new Response(new ReadableStream({}));'),
  survive('never-pulled', 'return new Response(new ReadableStream({ pull() { return new Promise(() => {}); } }));'),
  survive(
    'garbage-chunks',
    'return new Response(new ReadableStream({ pull(controller) { controller.enqueue({ get byteLength() { for (;;); } }); } }));',
  ),
  survive(
    'tee-unread',
    'const [a, b] = new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65536)); } }).tee(); globalThis.kept = b; return new Response(a);',
  ),
  survive('body-unread', 'await scheduler.wait(300); return new Response("over");', { trigger: 'body' }),
  survive('body-kept', 'globalThis.kept ??= []; kept.push(await request.bytes()); return new Response("over");', {
    trigger: 'body',
  }),
  survive(
    'body-half-read',
    'const reader = request.body.getReader(); await reader.read(); await scheduler.wait(100); return new Response("over");',
    { trigger: 'body' },
  ),
  survive('echo', 'return new Response(request.body);', { trigger: 'body' }),
  survive(
    'pipe-loop',
    'const { readable, writable } = new TransformStream(); const writer = writable.getWriter(); (async () => { for (;;) await writer.write(new Uint8Array(1000)); })(); for await (const _ of readable);',
  ),
  survive(
    'compression-endless',
    'return new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65536)); } }).pipeThrough(new CompressionStream("gzip")));',
  ),
]);

export const SOCKETS = toFamily('socket', [
  survive(
    'floods-client',
    'const [client, server] = Object.values(new WebSocketPair()); server.accept(); for (let i = 0; i < 1e5; i++) server.send("x".repeat(1000)); return new Response(null, { status: 101, webSocket: client });',
    { trigger: 'web-socket' },
  ),
  survive(
    'answers-with-flood',
    'const [client, server] = Object.values(new WebSocketPair()); server.accept(); server.addEventListener("message", () => { for (let i = 0; i < 1e4; i++) server.send("x".repeat(1000)); }); return new Response(null, { status: 101, webSocket: client });',
    { trigger: 'web-socket' },
  ),
  survive(
    'loops-on-message',
    'const [client, server] = Object.values(new WebSocketPair()); server.accept(); server.addEventListener("message", () => { for (;;); }); return new Response(null, { status: 101, webSocket: client });',
    { trigger: 'web-socket' },
  ),
  survive(
    'never-accepts',
    'const [client] = Object.values(new WebSocketPair()); return new Response(null, { status: 101, webSocket: client });',
    { trigger: 'web-socket' },
  ),
  survive(
    'pairs',
    'for (;;) { const pair = new WebSocketPair(); pair[0].accept(); pair[1].accept(); pair[0].send("x".repeat(1e5)); }',
  ),
  survive(
    'ping-pong',
    'const [a, b] = Object.values(new WebSocketPair()); a.accept(); b.accept(); a.addEventListener("message", ({ data }) => a.send(data)); b.addEventListener("message", ({ data }) => b.send(data)); a.send("x"); await new Promise(() => {});',
  ),
  survive(
    'huge-message',
    'const [client, server] = Object.values(new WebSocketPair()); server.accept(); server.send("x".repeat(1e8)); return new Response(null, { status: 101, webSocket: client });',
    { trigger: 'web-socket' },
  ),
  survive(
    'close-reasons',
    'const [client, server] = Object.values(new WebSocketPair()); server.accept(); server.close(1000, "x".repeat(1e6)); return new Response(null, { status: 101, webSocket: client });',
    { trigger: 'web-socket' },
  ),
  survive('connects-out', 'for (;;) new WebSocket("ws://192.0.2.1/");'),
]);

export const STORES = toFamily('store', [
  survive(
    'cache-puts',
    'for (let i = 0; ; i++) await caches.default.put("http://a/" + i, new Response("x".repeat(1e5), { headers: { "cache-control": "max-age=1000" } }));',
  ),
  survive(
    'cache-puts-at-once',
    'await Promise.all(Array.from({ length: 2000 }, (_, i) => caches.default.put("http://a/" + i, new Response("x".repeat(1e4), { headers: { "cache-control": "max-age=1000" } })).catch(() => {}))); return new Response("over");',
  ),
  survive(
    'cache-endless-body',
    'await caches.default.put("http://a/", new Response(new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65536)); } }), { headers: { "cache-control": "max-age=1000" } })); return new Response("over");',
  ),
  survive(
    'cache-vary',
    'for (let i = 0; i < 45; i++) await caches.default.put(new Request("http://a/", { headers: { v: String(i) } }), new Response("x", { headers: { vary: "v", "cache-control": "max-age=1000" } })); return new Response("over");',
  ),
  survive('cache-names', 'for (let i = 0; ; i++) await caches.open("c".repeat(1000) + i);'),
  survive('cache-long-url', 'await caches.default.match("http://a/" + "x".repeat(1e7)); return new Response("over");'),
  survive('kv-puts', 'for (let i = 0; ; i++) await env.KV.put("k" + i, "x".repeat(1e5));', { bindings: KV }),
  survive(
    'kv-puts-at-once',
    'await Promise.all(Array.from({ length: 2000 }, (_, i) => env.KV.put("k" + i, "x".repeat(1e4)).catch(() => {}))); return new Response("over");',
    { bindings: KV },
  ),
  survive(
    'kv-large',
    'await Promise.all(Array.from({ length: 40 }, (_, i) => env.KV.put("large" + i, new Uint8Array(2e6)).catch(() => {}))); return new Response("over");',
    { bindings: KV },
  ),
  survive('kv-large-burst', 'return new Response(await env.KV.put("large", new Uint8Array(2e7)));', {
    bindings: KV,
    trigger: 'burst',
  }),
  survive(
    'kv-endless',
    'await env.KV.put("endless", new ReadableStream({ pull(controller) { controller.enqueue(new Uint8Array(65536)); } })); return new Response("over");',
    { bindings: KV },
  ),
  survive(
    'kv-unread',
    'await env.KV.put("unread", new Uint8Array(2e7)); for (let i = 0; i < 20; i++) globalThis["kept" + i] = await env.KV.get("unread", "stream"); return new Response("over");',
    { bindings: KV },
  ),
  survive(
    'kv-keys',
    'for (const key of ["", ".", "..", "x".repeat(600), "\u0000", "\ud800", "__proto__", { toString() { for (;;); } }]) await env.KV.get(key).catch(() => {}); return new Response("over");',
    { bindings: KV },
  ),
  survive(
    'kv-json-getter',
    'await env.KV.put("k", "v", { metadata: { get a() { for (;;); } } }); return new Response("over");',
    { bindings: KV },
  ),
  survive(
    'kv-lists',
    'await Promise.all(Array.from({ length: 45 }, () => env.KV.list({ prefix: "k", limit: 1000 }).catch(() => {}))); return new Response("over");',
    { bindings: KV, trigger: 'burst' },
  ),
]);

export const EVENTS = toFamily('scheduled', [
  stop('loop', '', { trigger: 'scheduled', handlers: 'scheduled() { for (;;); }' }),
  stop('throws-proxy', '', {
    trigger: 'scheduled',
    handlers: 'scheduled() { throw new Proxy({}, { get() { for (;;); } }); }',
  }),
  stop('memory', '', { trigger: 'scheduled', handlers: 'scheduled() { const kept = []; for (;;) kept.push({}); }' }),
  stop('built-in', '', {
    trigger: 'scheduled',
    handlers: 'scheduled() { Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 7); }',
  }),
]);

export const STARTS = toFamily('start', [
  stop('loop', 'for (;;);', { trigger: 'upload' }),
  stop('await-loop', 'for (;;) await 0; export default {};', { trigger: 'upload' }),
  stop('never', 'await new Promise(() => {}); export default {};', { trigger: 'upload' }),
  stop('memory', 'const kept = []; for (;;) kept.push({}); export default {};', { trigger: 'upload' }),
  stop('built-in', 'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 7); export default {};', {
    trigger: 'upload',
  }),
  stop('throws-getter', 'throw { get message() { for (;;); }, get stack() { for (;;); } };', { trigger: 'upload' }),
  stop('prepare-stack-trace', 'Error.prepareStackTrace = () => { for (;;); }; throw new Error("x");', {
    trigger: 'upload',
  }),
  stop('deep-parentheses', `export default ${'('.repeat(100_000)}1${')'.repeat(100_000)};`, { trigger: 'upload' }),
  stop(
    'default-getter',
    'export default new Proxy({}, { get() { for (;;); }, has() { for (;;); }, ownKeys() { for (;;); } });',
    { trigger: 'upload' },
  ),
  survive(
    'large-literal',
    `const all = [${'[1,2,{a:3}],'.repeat(200_000)}]; export default { fetch: () => new Response(all.length) };`,
    { trigger: 'upload' },
  ),
  survive(
    'imports-itself',
    'import * as self from "index.js"; import "index.js"; export default { fetch: () => new Response(Object.keys(self)) };',
    { trigger: 'upload' },
  ),
  stop('imports-nothing', 'import "./nowhere.js"; export default {};', { trigger: 'upload' }),
  survive(
    'many-functions',
    `${Array.from({ length: 20_000 }, (_, i) => `export function f${i}() { return ${i}; }`).join('\n')}\nexport default { fetch: () => new Response("over") };`,
    { trigger: 'upload' },
  ),
]);
