/** Loops without end, of every kind that the engine can interrupt. */
import { stop, toFamily } from '../attack.ts';

export const LOOPS = toFamily('loop', [
  stop('for-ever', 'for (;;);'),
  stop('catches-everything', 'for (;;) try { for (;;); } catch {} finally { continue; }'),
  // Without a flag of V8's the compiler unrolls this one past its check for interrupts.
  stop('constant-array', 'for (;;) globalThis.kept = new Array(1000);'),
  stop('unrolled-arrays', 'for (;;) { globalThis.kept = new Array(128); globalThis.other = new Array(64); }'),
  stop('behind-await', 'await null; await scheduler.wait(1); for (;;);'),
  stop('in-timer', 'await new Promise(() => setTimeout(() => { for (;;); }, 1));'),
  stop('in-interval', 'await new Promise(() => setInterval(() => { for (let i = 0; i < 1e8; i++); }, 1));'),
  stop('in-wait-until', 'ctx.waitUntil((async () => { await scheduler.wait(1); for (;;); })()); for (;;);'),
  stop('getter', 'const o = { get a() { for (;;); } }; return new Response(o.a);'),
  stop('to-string-of-answer', 'return new Response({ toString() { for (;;); } });'),
  stop('header-getter', 'return new Response("", { headers: { get a() { for (;;); } } });'),
  stop('status-value-of', 'return new Response("", { status: { valueOf() { for (;;); } } });'),
  stop('thenable-answer', 'return { then() { for (;;); } };'),
  stop('proxy-answer', 'return new Proxy(new Response(""), { get() { for (;;); } });'),
  stop(
    'iterator',
    'const endless = { *[Symbol.iterator]() { for (;;) yield 1; } }; return new Response([...endless].length);',
  ),
  stop(
    'headers-iterator',
    'return new Response("", { headers: { *[Symbol.iterator]() { for (;;) yield ["a", "b"]; } } });',
  ),
  stop(
    'sort-comparator',
    'const a = Array.from({ length: 1000 }, Math.random); for (;;) a.sort(() => Math.random() - 0.5);',
  ),
  stop('replace-callback', '"a".repeat(10).replace(/a/g, () => { for (;;); });'),
  stop('json-reviver', 'JSON.parse("[1,2]", () => { for (;;); });'),
  stop('to-json', 'return Response.json({ toJSON() { for (;;); } });'),
  stop('array-from', 'Array.from({ length: 2 ** 32 - 1 }, (_, i) => i % 7);'),
  stop('generator', 'function* walk() { for (;;) yield; } for (const _ of walk());'),
  stop('labels', 'a: for (;;) { b: for (;;) { continue a; } }'),
  stop('date-strings', 'for (;;) new Date("x".repeat(50) + Math.random()).toString();'),
  stop('intl', 'for (let i = 0; ; i++) new Intl.NumberFormat("de", { maximumFractionDigits: i % 20 }).format(i);'),
  stop(
    'temporal',
    'let date = Temporal.PlainDate.from("2020-01-01"); for (;;) date = date.add({ days: 1 }).subtract({ days: 1 });',
  ),
  stop('weak-refs', 'for (;;) new WeakRef({}).deref();'),
  stop('symbol-to-primitive', 'return new Response(`${{ [Symbol.toPrimitive]() { for (;;); } }}`);'),
  stop(
    'has-instance',
    'class A { static [Symbol.hasInstance]() { for (;;); } } return new Response(String({} instanceof A));',
  ),
]);
