/** What no Worker may have: code from strings, ways out of its context, ways to steer the runtime's own code. */
import { refuse, survive, toFamily } from '../attack.ts';

export const CODE = toFamily('code', [
  refuse('eval', 'return eval("1");'),
  refuse('indirect-eval', 'return (0, eval)("1");'),
  refuse('function', 'return new Function("return 1")();'),
  refuse('async-function', 'return (async () => {}).constructor("return 1")();'),
  refuse('generator-function', 'return (function* () {}).constructor("return 1")().next().value;'),
  refuse('async-generator-function', 'return (await (async function* () {}).constructor("return 1")().next()).value;'),
  refuse('bound', 'return (() => {}).bind().constructor("return 1")();'),
  refuse('method', 'return ({ a() {} }).a.constructor("return 1")();'),
  refuse('class', 'return (class {}).constructor("return 1")();'),
  refuse('native-function', 'return Math.max.constructor("return 1")();'),
  refuse('host-function', 'return fetch.constructor("return 1")();'),
  refuse('binding-function', 'return ctx.waitUntil.constructor("return 1")();'),
  refuse('prototype', 'return Object.getPrototypeOf(() => {}).constructor("return 1")();'),
  refuse('reflect-construct', 'return Reflect.construct((() => {}).constructor, ["return 1"])();'),
  refuse(
    'reflect-new-target',
    'return Reflect.construct(Object.getPrototypeOf(async () => {}).constructor, ["return 1"], Array)();',
  ),
  refuse(
    'subclass',
    'class F extends (async () => {}).constructor { constructor() { super("return 1"); } } return new F()();',
  ),
  refuse('prototype-of-constructor', 'return Object.getPrototypeOf((async () => {}).constructor)("return 1")();'),
  refuse('call-apply', 'const f = (() => {}).constructor; return f.call.call(f, null, "return 1")();'),
  refuse(
    'timer-string',
    'setTimeout("globalThis.made = 1", 0); await scheduler.wait(5); if (globalThis.made !== 1) throw new Error("nothing was made"); return "made";',
  ),
  refuse('import-data', 'return (await import("data:text/javascript,export default 1")).default;'),
  refuse('import-blob', 'return (await import(URL.createObjectURL(new Blob(["export default 1"])))).default;'),
  refuse('import-file', 'return (await import("file:///etc/passwd")).default;'),
  refuse('import-node', 'return (await import("node:fs")).readFileSync("/etc/passwd");'),
  refuse('import-child-process', 'return (await import("node:child_process")).execSync("id");'),
  refuse('shadow-realm', 'return new ShadowRealm().evaluate("1");'),
  refuse('node-vm', 'return (await import("node:vm")).runInThisContext("1");'),
  refuse('template-constructor', 'return [].filter.constructor`return 1``x`;'),
  refuse(
    'getter-constructor',
    'return Object.getOwnPropertyDescriptor(Response.prototype, "status").get.constructor("return 1")();',
  ),
  refuse(
    'error-call-site',
    'Error.prepareStackTrace = (_, sites) => sites; for (const site of new Error().stack) { const f = site.getFunction?.(); if (f) return f.constructor("return 1")(); } throw new Error("no function");',
  ),
]);

export const HOST = toFamily('host', [
  refuse('process', 'return process.binding("fs");'),
  refuse('main-module', 'return process.mainModule.require("child_process");'),
  refuse('require', 'return require("fs");'),
  refuse('isolated-vm', 'return (await import("isolated-vm")).default;'),
  refuse('boot', 'return __isola.boot;'),
  refuse('env-file', 'return (await import("node:fs/promises")).readFile("/proc/self/environ", "utf8");'),
  refuse('atomics-wait', 'return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e9);'),
  refuse('atomics-wait-async', 'return Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0).value;'),
  refuse('worker', 'return new Worker("data:text/javascript,1");'),
  refuse('loopback', 'return (await fetch("http://127.0.0.1:1/")).status;'),
  refuse('metadata', 'return (await fetch("http://169.254.169.254/latest/meta-data/")).status;'),
  refuse('mapped-loopback', 'return (await fetch("http://[::ffff:127.0.0.1]/")).status;'),
  refuse('file-url', 'return (await fetch("file:///etc/passwd")).text();'),
  refuse('unix-socket', 'return (await fetch("http://unix:/var/run/docker.sock:/info")).text();'),
  refuse(
    'intrinsics',
    'return %GetOptimizationStatus;'.replace('%GetOptimizationStatus', 'globalThis["%GetOptimizationStatus"]()'),
  ),
  refuse('node-crypto-engine', 'return (await import("node:crypto")).setEngine("/tmp/x.so");'),
]);

export const PROTOTYPES = toFamily('prototype', [
  survive(
    'patched-everything',
    `
    const spy = function () { for (;;); };
    for (const C of [Array, Map, Set, Promise, String, RegExp, Object, Uint8Array, ArrayBuffer, WeakMap, Headers, URL])
      for (const key of Reflect.ownKeys(C.prototype)) try { C.prototype[key] = spy; } catch {}
    return new Response("patched", { headers: { a: "b" } });`,
  ),
  survive('patched-then', 'Promise.prototype.then = () => { for (;;); }; return new Response("over");'),
  survive(
    'patched-iterator',
    'Array.prototype[Symbol.iterator] = function* () { for (;;) yield 1; }; return new Response("over", { headers: [["a", "b"]] });',
  ),
  survive(
    'species',
    `
    class A extends Uint8Array { static get [Symbol.species]() { return function () { for (;;); }; } }
    return new Response(new A(10));`,
  ),
  survive(
    'species-buffer',
    'ArrayBuffer.prototype.constructor = { [Symbol.species]: function () { for (;;); } }; return new Response(new Uint8Array(10).buffer);',
  ),
  survive(
    'species-promise',
    'Promise.prototype.constructor = { [Symbol.species]: function () { for (;;); } }; await scheduler.wait(1); return new Response("over");',
  ),
  survive(
    'setter-on-object',
    'for (const key of ["status", "headers", "body", "id", "op", "value", "0", "then"]) Object.defineProperty(Object.prototype, key, { __proto__: null, set() { for (;;); }, get() { return undefined; }, configurable: true }); return new Response("over");',
  ),
  survive(
    'getter-on-object',
    'Object.defineProperty(Object.prototype, "get", { get() { for (;;); }, configurable: true }); return new Response("over");',
  ),
  survive(
    'numeric-setter',
    'Object.defineProperty(Array.prototype, 0, { set() { for (;;); }, configurable: true }); return new Response("over", { headers: { a: "b" } });',
  ),
  survive(
    'null-prototype',
    'Object.setPrototypeOf(Response.prototype, null); Object.setPrototypeOf(Array.prototype, null); return new Response("over");',
  ),
  survive(
    'frozen-world',
    'for (const key of Reflect.ownKeys(globalThis)) try { Object.freeze(globalThis[key]); Object.freeze(globalThis[key].prototype); } catch {} Object.freeze(globalThis); return new Response("over");',
  ),
  survive(
    'deleted-globals',
    'const made = new Response("over"); for (const key of Reflect.ownKeys(globalThis)) try { delete globalThis[key]; } catch {} return made;',
  ),
  survive('fake-response', 'return { __proto__: Response.prototype, status: 200, body: "x" };'),
  survive('fake-request', 'return fetch({ __proto__: Request.prototype, url: "http://127.0.0.1/" });'),
  survive(
    'console-proxies',
    'for (let i = 0; i < 20; i++) console.log(new Proxy({}, { ownKeys() { for (;;); }, get() { for (;;); } })); return new Response("over");',
  ),
  survive(
    'console-inspect',
    'console.log({ [Symbol.for("nodejs.util.inspect.custom")]() { for (;;); }, get a() { for (;;); } }); return new Response("over");',
  ),
]);
