import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createKindOf, toImportFilter } from './module-rules.ts';

describe('createKindOf()', () => {
  it('has the rules of wrangler', () => {
    const kindOf = createKindOf();
    assert.deepEqual(
      ['./a.txt', '../b/c.html', 'd.sql', 'e.bin', './f.wasm', './f.wasm?module', 'g.md', './h.js', 'pkg'].map(kindOf),
      ['text', 'text', 'text', 'data', 'wasm', 'wasm', undefined, undefined, undefined],
    );
  });

  it('lets a rule take the place of those after it of its type, unless it falls through', () => {
    const globs = ['**/*.md'];
    assert.deepEqual(['a.md', 'a.txt', 'a.bin'].map(createKindOf([{ type: 'Text', globs }])), [
      'text',
      undefined,
      'data',
    ]);
    const falling = createKindOf([{ type: 'Text', globs, fallthrough: true }]);
    assert.deepEqual(['a.md', 'a.txt'].map(falling), ['text', 'text']);
  });
});

describe('toImportFilter()', () => {
  it('passes what a rule may concern', () => {
    const filter = toImportFilter([{ type: 'Text', globs: ['**/*.md'] }]);
    assert.deepEqual(
      ['./a.md', './a.wasm?module', './a.ts', 'react'].map((path) => filter.test(path)),
      [true, true, false, false],
    );
    assert.ok(toImportFilter([{ type: 'Text', globs: ['data/*'] }]).test('anything'));
  });
});
