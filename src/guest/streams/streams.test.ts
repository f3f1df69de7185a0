import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  FixedLengthStream,
  fixedLength,
  IdentityTransformStream,
  isDisturbed,
  ReadableStream,
  TransformStream,
} from '../parts/streams.ts';

async function writeAll(stream: Pick<IdentityTransformStream, 'writable'>, chunks: readonly unknown[]): Promise<void> {
  const writer = stream.writable.getWriter();
  for (const chunk of chunks) await writer.write(chunk);
  await writer.close();
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<number[]> {
  const chunks = await Array.fromAsync(stream);
  return chunks.flatMap((chunk) => [...chunk]);
}

describe('ReadableStream', () => {
  it('has iterators that inherit from %AsyncIteratorPrototype%', () => {
    const prototype = Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}).prototype) as object;
    assert.ok(Object.prototype.isPrototypeOf.call(prototype, new ReadableStream().values()));
  });

  it('tells the runtime when it has been read', async () => {
    const stream = ReadableStream.from(['a']);
    assert.equal(isDisturbed(stream), false);
    await stream.getReader().read();
    assert.equal(isDisturbed(stream), true);
  });
});

describe('IdentityTransformStream', () => {
  it('is a TransformStream to instanceof, and hands bytes through', async () => {
    const stream = new IdentityTransformStream();
    assert.ok(stream instanceof TransformStream);
    const [, bytes] = await Promise.all([
      writeAll(stream, [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3).buffer]),
      readAll(stream.readable),
    ]);
    assert.deepEqual(bytes, [1, 2, 3]);
  });

  it('fills a reader’s own buffer', async () => {
    const stream = new IdentityTransformStream();
    const written = writeAll(stream, [Uint8Array.of(1, 2, 3)]);
    const reader = stream.readable.getReader({ mode: 'byob' });
    assert.deepEqual([...((await reader.read(new Uint8Array(2))).value as Uint8Array)], [1, 2]);
    assert.deepEqual([...((await reader.read(new Uint8Array(2))).value as Uint8Array)], [3]);
    assert.equal((await reader.read(new Uint8Array(2))).done, true);
    await written;
  });

  it('takes bytes only', async () => {
    const stream = new IdentityTransformStream();
    await assert.rejects(writeAll(stream, ['text']), TypeError);
    await assert.rejects(readAll(stream.readable), TypeError);
  });

  it('ends a waiting write when the reader cancels or the writer aborts', async () => {
    const cancelled = new IdentityTransformStream();
    const write = cancelled.writable.getWriter().write(Uint8Array.of(1));
    await cancelled.readable.cancel('gone');
    await Promise.allSettled([write]);

    const aborted = new IdentityTransformStream();
    const writer = aborted.writable.getWriter();
    const waiting = writer.write(Uint8Array.of(1));
    await writer.abort('stop');
    await Promise.allSettled([waiting]);
    await assert.rejects(readAll(aborted.readable), (reason) => reason === 'stop');
  });
});

describe('FixedLengthStream', () => {
  it('passes exactly its length', async () => {
    const stream = new FixedLengthStream(3n);
    assert.equal(fixedLength(stream.readable), 3);
    const [, bytes] = await Promise.all([writeAll(stream, [Uint8Array.of(1, 2, 3)]), readAll(stream.readable)]);
    assert.equal(bytes.length, 3);
  });

  it('errors when given more or less', async () => {
    for (const bytes of [Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3, 4)]) {
      const stream = new FixedLengthStream(3);
      const results = await Promise.allSettled([writeAll(stream, [bytes]), readAll(stream.readable)]);
      assert.deepEqual(
        results.map((result) => result.status),
        ['rejected', 'rejected'],
      );
    }
    assert.throws(() => new FixedLengthStream(-1), TypeError);
  });
});
