import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JsonValues } from './json-values.ts';

describe('JsonValues', () => {
  const count = (text: string, chunkBytes = text.length): number => {
    const values = new JsonValues();
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += chunkBytes) values.add(bytes.subarray(at, at + chunkBytes));
    return values.count;
  };

  it('counts arrays, objects and what stands in them, and nothing within strings', () => {
    assert.equal(count('1'), 0);
    assert.equal(count('[1, 2, 3]'), 3);
    assert.equal(count('{"a": {"b": [], "c": 1}}'), 4);
    assert.equal(count('["[,{", "\\",\\\\", ","]'), 3);
  });

  it('takes its bytes in pieces of any length', () => {
    const text = JSON.stringify({ 'a,"\\': ['x\\"', 'ü,{', [[{}]]], b: [1, 2] });
    for (let bytes = 1; bytes < 20; bytes++) assert.equal(count(text, bytes), count(text), String(bytes));
  });
});
