import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withTraceparent, splitRay } from './cell/invocation-trace.ts';
import { MAX_SPANS, parseTraceparent, SpanBatch, toTraceparent, type WireSpan } from './trace-context.ts';

const TRACE = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
const HEADER = toTraceparent(TRACE);

describe('parseTraceparent', () => {
  it('takes what the standard has, of later versions too', () => {
    assert.deepEqual(parseTraceparent(HEADER), { ...TRACE, isSampled: true });
    assert.equal(parseTraceparent(HEADER.replace(/01$/, '02'))?.isSampled, false);
    assert.deepEqual(parseTraceparent(`cc${HEADER.slice(2)}-more`), { ...TRACE, isSampled: true });
  });

  it('refuses everything else', () => {
    const bad = [
      undefined,
      ['x'],
      '',
      HEADER.toUpperCase(),
      `${HEADER}-more`,
      `ff${HEADER.slice(2)}`,
      HEADER.replace('ab', 'ag'),
      HEADER.replace(TRACE.traceId, '0'.repeat(32)),
      HEADER.replace(TRACE.spanId, '0'.repeat(16)),
    ];
    for (const value of bad) assert.equal(parseTraceparent(value), undefined, String(value));
  });
});

describe('The trace of an invocation', () => {
  it('comes behind the ray, and from nowhere else', () => {
    assert.deepEqual(splitRay('0123456789abcdef'), ['0123456789abcdef', undefined]);
    assert.deepEqual(splitRay(`0123456789abcdef ${HEADER}`), ['0123456789abcdef', { ...TRACE, isSampled: true }]);
  });

  it('is in a fetch once: instead of what the request had, beside nothing of the Worker’s own', () => {
    const head = 'GET\nhttps://example.com/\nfollow\naccept\n*/*';
    assert.equal(withTraceparent(head, TRACE), `${head}\ntraceparent\n${HEADER}`);
    const passedOn = `${head}\ntraceparent\n00-${TRACE.traceId}-${'ef'.repeat(8)}-01\nx\ny`;
    assert.equal(withTraceparent(passedOn, TRACE), `${head}\ntraceparent\n${HEADER}\nx\ny`);
    const own = `${head}\ntraceparent\n00-${'12'.repeat(16)}-${'ef'.repeat(8)}-01`;
    assert.equal(withTraceparent(own, TRACE), own);
  });
});

it('SpanBatch drops what is too much, and goes on', () => {
  const sent: number[] = [];
  const batch = new SpanBatch((spans) => sent.push(spans.length));
  const span: WireSpan = {
    ...TRACE,
    kind: 'request',
    name: 'GET',
    startMs: 0,
    durationMs: 1,
    failed: false,
    attributes: {},
  };
  for (let count = 0; count < MAX_SPANS + 5; count++) batch.add(span);
  batch.flush();
  batch.flush();
  batch.add(span);
  batch.flush();
  assert.deepEqual(sent, [MAX_SPANS, 1]);
});
