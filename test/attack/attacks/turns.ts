/** Promises, microtasks, rejections and callbacks: tenant code that runs when nobody called it. */
import { stop, survive, toFamily } from '../attack.ts';

export const ASYNC = toFamily('async', [
  stop('await-for-ever', 'for (;;) await 0;'),
  stop('promise-chain', 'const next = () => Promise.resolve().then(next); await next();'),
  stop('microtasks', 'const next = () => queueMicrotask(next); next(); await new Promise(() => {});'),
  stop('promise-flood', 'for (;;) Promise.resolve().then(() => {});'),
  stop(
    'promise-fan-out',
    'const next = () => { Promise.resolve().then(next); Promise.resolve().then(next); }; next(); await new Promise(() => {});',
  ),
  stop('then-getter', 'await { get then() { for (;;); } };'),
  stop('async-generator', 'async function* walk() { for (;;) yield 1; } for await (const _ of walk());'),
  stop('from-async', 'await Array.fromAsync((function* () { for (;;) yield 1; })());'),
  stop('promise-all-endless', 'await Promise.all({ *[Symbol.iterator]() { for (;;) yield 1; } });'),
  stop('rejections', 'for (;;) Promise.reject(new Error("x"));'),
  survive('never-answers', 'await new Promise(() => {});'),
  survive(
    'finalization',
    'const registry = new FinalizationRegistry(() => { for (;;); }); for (let i = 0; i < 1e5; i++) registry.register({ a: new Array(100) }, i); return new Response("over");',
    { trigger: 'burst' },
  ),
  survive('yields-for-ever', 'for (;;) await scheduler.yield();'),
  survive('waits-for-ever', 'for (;;) await scheduler.wait(0);'),
  survive('tasks', 'for (;;) scheduler.postTask(() => {});'),
  survive(
    'message-ports',
    'const { port1, port2 } = new MessageChannel(); port1.onmessage = ({ data }) => port1.postMessage(data); port2.onmessage = ({ data }) => port2.postMessage(data); port1.postMessage(1); await new Promise(() => {});',
  ),
  survive('abort-timeouts', 'for (;;) AbortSignal.timeout(1).onabort = () => { for (;;); };'),
  survive(
    'async-context',
    'const { AsyncLocalStorage } = await import("node:async_hooks"); for (;;) new AsyncLocalStorage().run({}, () => {});',
  ),
]);

export const ERRORS = toFamily('error', [
  stop('stack-getter', 'throw Object.defineProperty(new Error("x"), "stack", { get() { for (;;); } });'),
  stop('message-getter', 'throw { get message() { for (;;); } };'),
  stop('name-getter', 'throw Object.defineProperty(new Error("x"), "name", { get() { for (;;); } });'),
  stop('cause-getter', 'throw Object.defineProperty(new Error("x"), "cause", { get() { for (;;); } });'),
  stop('to-string', 'throw { toString() { for (;;); } };'),
  stop('proxy', 'throw new Proxy(new Error("x"), { get() { for (;;); }, getPrototypeOf() { for (;;); } });'),
  stop('prepare-stack-trace', 'Error.prepareStackTrace = () => { for (;;); }; throw new Error("x");'),
  survive(
    'cause-chain',
    'let error = new Error("x"); for (let i = 0; i < 1e5; i++) error = new Error("y", { cause: error }); throw error;',
  ),
  survive('cause-cycle', 'const error = new Error("x"); error.cause = error; throw error;'),
  survive('aggregate', 'throw new AggregateError(Array.from({ length: 1e5 }, () => new Error("x".repeat(1000))));'),
  survive('huge-message', 'throw new Error("x".repeat(2 ** 28));'),
  survive('huge-object', 'throw { a: new Array(1e6).fill({ b: "c".repeat(100) }) };'),
  survive('nothing', 'throw undefined;'),
  survive('revoked-proxy', 'const { proxy, revoke } = Proxy.revocable(new Error("x"), {}); revoke(); throw proxy;'),
  survive('response', 'throw new Response("x");'),
  survive(
    'unhandled-getter',
    'Promise.reject({ get message() { for (;;); }, get stack() { for (;;); }, get name() { for (;;); } }); return new Response("over");',
  ),
  survive(
    'unhandled-stack',
    'const error = new Error("x"); Object.defineProperty(error, "stack", { get() { for (;;); } }); Promise.reject(error); return new Response("over");',
  ),
  survive(
    'unhandled-prepare-stack',
    'Error.prepareStackTrace = () => { for (;;); }; Promise.reject(new Error("x")); return new Response("over");',
  ),
  survive(
    'unhandled-proxy',
    'Promise.reject(new Proxy({}, { get() { for (;;); }, has() { for (;;); }, getPrototypeOf() { for (;;); } })); return new Response("over");',
  ),
  survive(
    'unhandled-in-timer',
    'setTimeout(async () => { throw { get stack() { for (;;); } }; }, 0); await scheduler.wait(5); return new Response("over");',
  ),
  survive(
    'unhandled-flood',
    'for (let i = 0; i < 1e4; i++) Promise.reject(new Error("x".repeat(1000))); return new Response("over");',
  ),
  survive(
    'listener-throws',
    'addEventListener("unhandledrejection", () => { throw new Error("y"); }); Promise.reject(new Error("x")); return new Response("over");',
  ),
  stop('report-error', 'reportError(new Proxy(new Error("x"), { get() { for (;;); } }));'),
  survive(
    'stack-limit',
    'Error.stackTraceLimit = 1e9; const dive = (n) => (n > 0 ? dive(n - 1) : new Error("x").stack); return new Response(dive(5000).length);',
  ),
]);

export const RECURSION = toFamily('recursion', [
  survive('plain', 'const dive = () => dive(); dive();'),
  stop('try-finally', 'const dive = () => { try { dive(); } finally { dive(); } }; dive();'),
  survive('getter', 'const o = { get a() { return this.a; } }; o.a;'),
  survive('to-json', 'const o = { toJSON() { return JSON.stringify(o); } }; return Response.json(o);'),
  survive('proxy-chain', 'let o = {}; for (let i = 0; i < 1e5; i++) o = new Proxy(o, {}); return new Response(o.a);'),
  survive(
    'prototype-chain',
    'let o = {}; for (let i = 0; i < 1e5; i++) o = Object.create(o); return new Response(o.a);',
  ),
  survive('bind-chain', 'let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(); return new Response(f());'),
  survive('flat', 'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return new Response(a.flat(Infinity).length);'),
  survive('to-string', 'let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return new Response(String(a));'),
  survive(
    'clone-deep',
    'let a = {}; for (let i = 0; i < 1e6; i++) a = { a }; return new Response(structuredClone(a));',
  ),
  survive(
    'log-deep',
    'let a = {}; for (let i = 0; i < 1e5; i++) a = { a }; console.log(a, JSON.stringify); console.dir(a, { depth: Infinity }); return new Response("over");',
  ),
  survive('replace-callback', 'const dive = () => "a".replace(/a/, dive); dive();'),
  survive('sort', 'const dive = () => [2, 1].sort(dive); dive();'),
  survive(
    'class-extends',
    'let A = class {}; for (let i = 0; i < 1e4; i++) A = class extends A {}; return new Response(String(new A()));',
  ),
  survive(
    'iterator-helpers',
    'let walk = [1].values(); for (let i = 0; i < 1e5; i++) walk = walk.map((x) => x); return new Response([...walk].length);',
  ),
  survive(
    'event-dispatch',
    'const target = new EventTarget(); target.addEventListener("a", () => target.dispatchEvent(new Event("a"))); target.dispatchEvent(new Event("a"));',
  ),
  survive(
    'streams-tee',
    'let stream = new Response("x").body; for (let i = 0; i < 1000; i++) [stream] = stream.tee(); return new Response(stream);',
  ),
]);
