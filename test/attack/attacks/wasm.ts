/** WebAssembly that a Worker compiles from bytes: loops, memories, tables, and large modules. */
import { refuse, stop, survive, toFamily } from '../attack.ts';

const HEAD = '0, 97, 115, 109, 1, 0, 0, 0';
// One function without parameters or results, exported as `f`.
const functionOf = (body: string, size: number): string =>
  `${HEAD}, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, ${size + 4}, 1, ${size + 2}, 0, ${body}, 0x0b`;
const memoryOf = (limits: string, size: number): string => `${HEAD}, 5, ${size + 1}, 1, ${limits}`;
const module = (bytes: string): string => `new WebAssembly.Module(new Uint8Array([${bytes}]))`;

export const WASM = toFamily('wasm', [
  // loop br 0 end
  stop('loop', `new WebAssembly.Instance(${module(functionOf('3, 0x40, 12, 0, 0x0b', 5))}).exports.f();`),
  // call 0
  survive('recursion', `new WebAssembly.Instance(${module(functionOf('16, 0', 2))}).exports.f();`),
  stop(
    'loop-in-start',
    `new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array([${HEAD}, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 8, 1, 0, 10, 9, 1, 7, 0, 3, 0x40, 12, 0, 0x0b, 0x0b])));`,
  ),
  refuse('memory-of-4-gib', 'new WebAssembly.Memory({ initial: 65536 });'),
  refuse('memories-without-end', 'const kept = []; for (;;) kept.push(new WebAssembly.Memory({ initial: 0 }));'),
  survive(
    'memory-grows',
    'const memory = new WebAssembly.Memory({ initial: 1 }); for (;;) { memory.grow(100); new Uint8Array(memory.buffer).fill(1); }',
  ),
  refuse(
    'shared-memory',
    'new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: true }); throw new Error(typeof Atomics.wait);',
  ),
  refuse('own-memory-large', `new WebAssembly.Instance(${module(memoryOf('0, 0x80, 0x80, 4', 4))});`),
  refuse('own-memory-64', `new WebAssembly.Instance(${module(memoryOf('4, 1', 2))});`),
  refuse(
    'own-memories-without-end',
    `const made = ${module(memoryOf('0, 1', 2))}; const kept = []; for (;;) kept.push(new WebAssembly.Instance(made));`,
  ),
  refuse(
    'table-large',
    'new WebAssembly.Table({ element: "anyfunc", initial: 1e7 - 1 }); new WebAssembly.Table({ element: "externref", initial: 2e7 });',
  ),
  survive(
    'tables-without-end',
    'const kept = []; for (;;) kept.push(new WebAssembly.Table({ element: "externref", initial: 1e6 }));',
  ),
  survive(
    'table-grows',
    'const table = new WebAssembly.Table({ element: "externref", initial: 1 }); for (;;) table.grow(1e5, {});',
  ),
  survive(
    'globals',
    'const kept = []; for (;;) kept.push(new WebAssembly.Global({ value: "i64", mutable: true }, 1n));',
  ),
  survive(
    'module-large',
    `
    const count = 100000, body = [2, 0, 0x0b], section = (id, bytes) => [id, ...leb(bytes.length), ...bytes];
    function leb(n) { const out = []; do { out.push((n & 127) | (n > 127 ? 128 : 0)); n >>>= 7; } while (n); return out; }
    const functions = [...leb(count)], code = [...leb(count)];
    for (let i = 0; i < count; i++) { functions.push(0); code.push(...body); }
    return new Response(String(new WebAssembly.Module(new Uint8Array([${HEAD}, ...section(1, [1, 0x60, 0, 0]), ...section(3, functions), ...section(10, code)]))));`,
  ),
  survive(
    'compiles-without-end',
    `const bytes = new Uint8Array([${functionOf('1', 1)}]); const kept = []; for (;;) kept.push(new WebAssembly.Module(bytes));`,
  ),
  survive(
    'compile-then-loop',
    `await WebAssembly.compile(new Uint8Array([${functionOf('1', 1)}])).then(() => { for (;;); });`,
  ),
  survive(
    'streaming-without-end',
    'await WebAssembly.compileStreaming(new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1 << 20)); } }), { headers: { "content-type": "application/wasm" } }));',
  ),
  refuse(
    'garbage',
    'for (let i = 0; i < 200; i++) { const bytes = crypto.getRandomValues(new Uint8Array(200)); bytes.set([0, 97, 115, 109, 1, 0, 0, 0]); try { new WebAssembly.Module(bytes); } catch (error) { if (!(error instanceof WebAssembly.CompileError)) return error; } } throw new Error("all refused");',
  ),
]);
