/** Memory: of V8's heap, which its limit counts, and beside it. */
import { survive, stop, toFamily } from '../attack.ts';

export const MEMORY = toFamily('memory', [
  stop('objects', 'const kept = []; for (;;) kept.push({ a: kept.length, b: {} });'),
  stop('arrays', 'const kept = []; for (;;) kept.push(new Array(1e5).fill(kept.length));'),
  stop('strings', 'const kept = []; for (let i = 0; ; i++) kept.push("key" + i + "x".repeat(100));'),
  stop('maps', 'const kept = new Map(); for (let i = 0; ; i++) kept.set(i, new Set([i]));'),
  stop('closures', 'const kept = []; for (;;) { const big = new Array(1000).fill(0); kept.push(() => big); }'),
  stop(
    'weak-map',
    'const kept = [], map = new WeakMap(); for (;;) { const key = {}; kept.push(key); map.set(key, new Array(100)); }',
  ),
  stop('dictionary', 'const kept = {}; for (let i = 0; ; i++) kept["k" + i] = i;'),
  stop('symbols', 'const kept = []; for (let i = 0; ; i++) kept.push(Symbol.for("s" + i));'),
  stop('bigints', 'const kept = []; for (;;) kept.push(1n << 1000000n);'),
  stop('error-stacks', 'const kept = []; for (;;) kept.push(new Error("x").stack);'),
  stop(
    'regexes',
    'const kept = []; for (let i = 0; ; i++) { const one = new RegExp("a" + i + "{1,100}"); one.test("a"); kept.push(one); }',
  ),
  stop('intl', 'const kept = []; for (;;) kept.push(new Intl.DateTimeFormat("de", { dateStyle: "full" }));'),
  survive(
    'catches-its-end',
    'const kept = []; for (;;) try { for (;;) kept.push(new ArrayBuffer(1 << 20)); } catch { kept.push({}); if (kept.length > 1e6) break; } return new Response("over");',
  ),
  survive('buffers', 'const kept = []; for (;;) kept.push(new ArrayBuffer(1 << 20));'),
  survive('touched-buffers', 'const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1));'),
  survive('small-buffers', 'const kept = []; for (;;) kept.push(new ArrayBuffer(8));'),
  survive(
    'resizable',
    'const kept = []; for (;;) { const one = new ArrayBuffer(1, { maxByteLength: 1 << 20 }); one.resize(1 << 20); new Uint8Array(one).fill(1); kept.push(one); }',
  ),
  survive('resizable-reserve', 'const kept = []; for (;;) kept.push(new ArrayBuffer(0, { maxByteLength: 2 ** 33 }));'),
  survive(
    'growable',
    'const kept = []; for (;;) { const one = new SharedArrayBuffer(1, { maxByteLength: 1 << 24 }); one.grow(1 << 24); kept.push(one); }',
  ),
  survive('shared', 'const kept = []; for (;;) kept.push(new Uint8Array(new SharedArrayBuffer(1 << 24)).fill(1));'),
  survive('transfers', 'let one = new ArrayBuffer(1 << 20); for (;;) one = one.transfer(one.byteLength + (1 << 20));'),
  survive('typed-array', 'return new Response(new Float64Array(2 ** 31).length);'),
  survive('blobs', 'const kept = []; for (;;) kept.push(new Blob([new Uint8Array(1 << 20)]));'),
  survive(
    'structured-clone',
    'let one = { a: new Uint8Array(1 << 20).fill(1) }; const kept = []; for (;;) kept.push(structuredClone(one));',
  ),
  survive(
    'form-data',
    'const form = new FormData(); for (let i = 0; ; i++) form.append("f" + i, new File([new Uint8Array(1 << 20)], "f"));',
  ),
  survive('headers', 'const headers = new Headers(); for (let i = 0; ; i++) headers.append("h" + i, "x".repeat(1e4));'),
  survive('answer-bytes', 'return new Response(new Uint8Array(120 << 20).fill(1));', { trigger: 'burst' }),
  survive('answer-text', 'return new Response("x".repeat(2 ** 27));', { trigger: 'burst' }),
  survive(
    'across-requests',
    'for (let i = 0; i < 50; i++) kept.push(new Uint8Array(1 << 20).fill(1)); return new Response("kept " + kept.length);',
    { top: 'const kept = [];', trigger: 'burst' },
  ),
  survive('compression', 'const kept = []; for (;;) kept.push(new CompressionStream("gzip"));'),
  survive(
    'decompression-bomb',
    `
    const zeros = new Uint8Array(1 << 20);
    let packed = new Response(new Response(zeros).body.pipeThrough(new CompressionStream("gzip"))).body;
    const bytes = await new Response(packed).bytes();
    const many = new ReadableStream({ pull(controller) { controller.enqueue(bytes); } });
    return new Response((await new Response(many.pipeThrough(new DecompressionStream("gzip"))).bytes()).length);`,
  ),
]);
