import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FindOrigin, listModules, mapStack, mayHaveFrames } from './map-stack.ts';

/** Column 7 of anything in index.js is in src/a.ts, and called `original` there when the line is even. */
const find: FindOrigin = (module, line, column) =>
  module === 'index.js' && column === 7
    ? { source: 'src/a.ts', line: line + 100, column: 1, name: line % 2 === 0 ? 'original' : undefined }
    : undefined;

describe('mapStack()', () => {
  const CASES: readonly (readonly [what: string, from: string, to: string])[] = [
    ['a call', '    at f (index.js:1:7)', '    at f (src/a.ts:101:1)'],
    ['no name', '    at index.js:1:7', '    at src/a.ts:101:1'],
    ['a method', '    at Object.fetch [as x] (index.js:1:7)', '    at Object.fetch [as x] (src/a.ts:101:1)'],
    ['a constructor', '    at new Foo (index.js:1:7)', '    at new Foo (src/a.ts:101:1)'],
    ['an async call', '    at async f (index.js:1:7)', '    at async f (src/a.ts:101:1)'],
    ['an async call without a name', '    at async index.js:1:7', '    at async src/a.ts:101:1'],
    ['a refused upload', '  at index.js:1:7 in f', '  at src/a.ts:101:1 in f'],
    ['the last frame of a value', '        at f (index.js:1:7) {', '        at f (src/a.ts:101:1) {'],
    ['the last frame in a list', '        at index.js:1:7, ]', '        at src/a.ts:101:1, ]'],
    ['another module', '    at f (other.js:1:7)', '    at f (other.js:1:7)'],
    ['no mapping there', '    at f (index.js:1:8)', '    at f (index.js:1:8)'],
    [
      'built-ins',
      '    at Array.map (<anonymous>)\n    at async Promise.all (index 0)',
      '    at Array.map (<anonymous>)\n    at async Promise.all (index 0)',
    ],
    ['text', 'meet me at index.js:1:7', 'meet me at index.js:1:7'],
    [
      'impossible positions',
      '    at index.js:0:7\n    at index.js:-1:7\n    at index.js:99999999999:7',
      '    at index.js:0:7\n    at index.js:-1:7\n    at index.js:99999999999:7',
    ],
  ];
  for (const [what, from, to] of CASES) {
    it(`tells ${what}`, () => assert.equal(mapStack(from, find), to));
  }

  it('takes the name of a minified function from where it is called', () => {
    const stack = 'Error: x\n    at a (index.js:1:7)\n    at b (index.js:2:7)\n    at async c (index.js:4:7)';
    assert.equal(
      mapStack(stack, find),
      'Error: x\n    at original (src/a.ts:101:1)\n    at b (src/a.ts:102:1)\n    at async c (src/a.ts:104:1)',
    );
  });

  it('maps 200 frames of a text, and reads hostile ones fast', () => {
    const many = '    at f (index.js:1:7)\n'.repeat(5_000);
    assert.equal(mapStack(many, find).split('src/a.ts').length - 1, 200);
    const startedAt = performance.now();
    for (const text of [
      `    at ${' ('.repeat(30_000)}index.js:1:7)`,
      `    at ${':1'.repeat(30_000)}`,
      `${' '.repeat(60_000)}at index.js:1:7`,
      `    at ${' {'.repeat(900)}x`.repeat(2),
      `    at ${' {'.repeat(900)}x\n`.repeat(30),
      '\n  at '.repeat(10_000),
      '    at a (b:1:1)\n'.repeat(4_000),
    ]) {
      mapStack(text, find);
      listModules([text], 16);
    }
    assert.ok(performance.now() - startedAt < 500);
  });
});

describe('mayHaveFrames()', () => {
  it('sees stacks, and not ordinary lines', () => {
    assert.ok(mayHaveFrames('Error\n    at index.js:1:7'));
    assert.ok(!mayHaveFrames('looked at 3 things'));
  });
});
