import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseSpans } from './parse-spans.ts';

it('parseSpans() takes nothing that no honest process tells', () => {
  const span = {
    traceId: 'ab'.repeat(16),
    spanId: 'cd'.repeat(8),
    kind: 'request',
    name: 'GET',
    startMs: 1,
    durationMs: 1,
    failed: false,
    attributes: { 'isola.ray': 'x' },
  };
  assert.equal(parseSpans([span, { ...span, parentId: 'ef'.repeat(8) }]).length, 2);
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`a.${'b'.repeat(index + 1)}`, 1]));
  for (const change of [
    { traceId: 'x' },
    { spanId: 7 },
    { parentId: '' },
    { kind: 'other' },
    { name: 'x'.repeat(2_049) },
    { startMs: Number.NaN },
    { durationMs: -1 },
    { attributes: { 'bad key': 1 } },
    { attributes: { nested: {} } },
    { attributes: many },
  ]) {
    assert.deepEqual(parseSpans([{ ...span, ...change }]), [], JSON.stringify(change).slice(0, 60));
  }
  for (const message of [undefined, null, span, 'spans', Array.from({ length: 1_001 }, () => span)]) {
    assert.deepEqual(parseSpans(message), []);
  }
});
