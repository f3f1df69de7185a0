import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
import { amendModule } from './amend.ts';
import { amendForAsyncContext } from './index.ts';
import { shiftMap } from './shift-map.ts';

const IMPORT = 'import{hold as $h0,iterate as $i0}from"isola:frames";';

function amend(text: string): string | undefined {
  return amendModule(text, 'esm')?.text;
}

describe('amendModule()', () => {
  it('leaves alone what never waits', () => {
    assert.equal(amend('export const a = 1; function* g() { yield 1; return 2 } const await_ = 1;'), undefined);
  });

  it('puts a call around what is awaited, whatever it is', () => {
    const cases: [string, string][] = [
      ['await a', 'await $h0(a)'],
      ['await(a, b)', 'await$h0((a, b))'],
      ['await await a.b().c', 'await $h0(await $h0(a.b().c))'],
      ['(await a)(await b)', '(await $h0(a))(await $h0(b))'],
      ['for await (const x of (y, z)) await x', 'for await (const x of $i0((y, z))) await $h0(x)'],
      ['`${await `${await a}`}`', '`${await $h0(`${await $h0(a)}`)}`'],
      ['async function f() { return await /[(]/.exec(a) }', 'async function f() { return await $h0(/[(]/.exec(a)) }'],
      ['await // why\n  a', 'await // why\n  $h0(a)'],
    ];
    for (const [source, expected] of cases) assert.equal(amend(source), IMPORT + expected);
  });

  it('takes what async generators yield and return, and not what others do', () => {
    assert.equal(
      amend('async function* f() { yield; yield a; yield* b; function* g() { yield 1; return 2 } return c }'),
      `${IMPORT}async function* f() { yield $h0(); yield $h0(a); yield* $i0(b); function* g() { yield 1; return 2 } return $h0(c) }`,
    );
  });

  it('takes names that are free, and keeps directives, the first line and CommonJS as they are', () => {
    assert.match(amend('const $h0 = await 1')!, /hold as \$h1,.*await \$h1\(1\)/);
    assert.equal(amend('#!/bin/x\nawait 1'), `#!/bin/x\n${IMPORT}await $h0(1)`);
    assert.equal(
      amendModule(`'use strict'; return async () => await 1`, 'cjs')?.text,
      `'use strict';const{hold:$h0,iterate:$i0}=require("isola:frames"); return async () => await $h0(1)`,
    );
  });

  it('refuses what is no JavaScript', () => {
    assert.throws(() => amend('await await await'), SyntaxError);
  });
});

describe('shiftMap()', () => {
  it('moves what stands behind an insertion, on its line alone', () => {
    const source = 'const a = 1;\nconst b = await a + a;\nlast()';
    const { text, insertions } = amendModule(source, 'esm')!;
    // One segment for each column of the source: it maps to itself.
    const sections = source.split('\n').map((line, row) => Array.from(line, (_, column) => [column, 0, row, column]));
    const map = { version: 3, sources: ['in.ts'], names: [], mappings: sections };
    const shifted = new TraceMap(shiftMap(JSON.stringify(map), source, insertions));
    for (const word of ['const b', '+ a;', 'last']) {
      const [before, after] = [source, text].map((code) => {
        const head = code.slice(0, code.indexOf(word)).split('\n');
        return { line: head.length, column: head.at(-1)!.length };
      });
      const { line, column } = originalPositionFor(shifted, after!);
      assert.deepEqual({ line, column }, before, word);
    }
  });
});

describe('amendForAsyncContext()', () => {
  const modules = (text: string) => [{ name: 'index.js', kind: 'esm' as const, content: Buffer.from(text) }];

  it('touches nothing of versions without the flag, or without a mention of what needs it', async () => {
    const mentioning = { modules: modules('await import("node:async_hooks")'), sourceMaps: [] };
    assert.equal(await amendForAsyncContext(mentioning, ['other']), mentioning);
    const plain = { modules: modules('await 1'), sourceMaps: [] };
    assert.equal(await amendForAsyncContext(plain, ['nodejs_compat']), plain);
    assert.notEqual(await amendForAsyncContext(mentioning, ['nodejs_als']), mentioning);
  });

  it('reads code that is nested deeply', async () => {
    const sum = Array.from({ length: 20_000 }, (_, i) => `a${i}`).join('+');
    const sources = { modules: modules(`await (${sum}); // async_hooks`), sourceMaps: [] };
    const [module] = (await amendForAsyncContext(sources, ['nodejs_compat'])).modules;
    assert.match(Buffer.from(module!.content).toString(), /^import\{.*await \$h0\(\(a0\+.*\)\);/);
  });

  it('leaves a module that does not parse to V8', async () => {
    const sources = { modules: modules('await async_hooks ]'), sourceMaps: [] };
    const [module] = (await amendForAsyncContext(sources, ['nodejs_compat'])).modules;
    assert.equal(Buffer.from(module!.content).toString(), 'await async_hooks ]');
  });
});
