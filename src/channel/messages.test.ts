import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ProtocolError } from './codec.ts';
import type { Exchange } from './exchange.ts';
import { MESSAGE, type MessageKind, MessageReader, parseClose, writeClose, writeMessage } from './messages.ts';

const MAX_BYTES = 100_000;

/** What is written, as one run of bytes. */
function record(write: (exchange: Exchange) => void): Buffer {
  const chunks: Uint8Array[] = [];
  const exchange = {
    write: (chunk: Uint8Array) => chunks.push(chunk) > 0,
    end: () => {},
  } as unknown as Exchange;
  write(exchange);
  return Buffer.concat(chunks);
}

function read(bytes: Buffer, cuts: readonly number[] = []): { kind: MessageKind; payload: Buffer }[] {
  const messages: { kind: MessageKind; payload: Buffer }[] = [];
  let parts: Buffer[] = [];
  const onPart = (kind: MessageKind, part: Buffer, last: boolean): void => {
    parts.push(part);
    if (!last) return;
    messages.push({ kind, payload: Buffer.concat(parts) });
    parts = [];
  };
  const reader = new MessageReader({ onPart }, MAX_BYTES);
  let start = 0;
  for (const cut of [...cuts.map((each) => each % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]) {
    reader.push(bytes.subarray(start, cut));
    start = cut;
  }
  return messages;
}

describe('messages on an exchange', () => {
  it('are read as they were written, however they are cut', () => {
    const message = fc.record({
      kind: fc.constantFrom(MESSAGE.text, MESSAGE.binary),
      payload: fc.oneof(fc.uint8Array({ maxLength: 50 }), fc.constant(new Uint8Array(20_000).fill(7))),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (messages, cuts) => {
        const bytes = record((exchange) => {
          for (const { kind, payload } of messages) writeMessage(exchange, kind, payload);
        });
        const expected = messages.map(({ kind, payload }) => ({ kind, payload: Buffer.from(payload) }));
        assert.deepEqual(read(bytes, cuts), expected);
      }),
      { numRuns: 200 },
    );
  });

  it('carry a close with its code and reason, the reason cut to what a frame takes', () => {
    const [short] = read(record((exchange) => writeClose(exchange, 4_000, 'why \u00e4')));
    assert.equal(short?.kind, MESSAGE.close);
    assert.deepEqual(parseClose(short?.payload ?? Buffer.alloc(0)), { code: 4_000, reason: 'why \u00e4' });
    const [long] = read(record((exchange) => writeClose(exchange, 1_000, 'x'.repeat(500))));
    assert.equal(parseClose(long?.payload ?? Buffer.alloc(0)).reason, 'x'.repeat(123));
    assert.deepEqual(parseClose(Buffer.alloc(0)), { code: 1_005, reason: '' });
  });

  it('at the limit pass; one past it, or of another kind, breaks the protocol', () => {
    const atLimit = record((exchange) => writeMessage(exchange, MESSAGE.binary, new Uint8Array(MAX_BYTES)));
    assert.equal(read(atLimit)[0]?.payload.length, MAX_BYTES);
    const past = record((exchange) => writeMessage(exchange, MESSAGE.binary, new Uint8Array(MAX_BYTES + 1)));
    assert.throws(() => read(past), ProtocolError);
    assert.throws(() => read(Buffer.from([0, 0, 0, 0, 9])), ProtocolError);
    assert.throws(() => read(Buffer.from([200, 0, 0, 0, MESSAGE.close])), ProtocolError);
  });
});
