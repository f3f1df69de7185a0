import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
// oxlint-disable-next-line import/no-unassigned-import -- a part registers itself when it is loaded
import '../parts/structured-clone.ts';
import { ReadableStream, TransformStream, WritableStream } from '../parts/streams.ts';
import { structuredClone } from '../structured-clone.ts';

const transfer = <T extends object>(stream: T): T => structuredClone(stream, { transfer: [stream] }) as T;

describe('structuredClone() of a stream in its transfer list', () => {
  it('gives a readable stream of copies, and locks the old one', async () => {
    const chunk = { a: 1 };
    const old = ReadableStream.from([chunk, 'b']);
    const made = transfer(old);
    assert.ok(made instanceof ReadableStream);
    assert.equal(old.locked, true);
    const chunks = await Array.fromAsync(made);
    assert.deepEqual(chunks, [{ a: 1 }, 'b']);
    assert.notEqual(chunks[0], chunk);
  });

  it('cancels and fails across', async () => {
    let cancelled: unknown;
    const made = transfer(new ReadableStream({ cancel: (reason) => void (cancelled = reason) }));
    await made.cancel('why');
    assert.equal(cancelled, 'why');
    const failing = transfer(new ReadableStream({ pull: () => Promise.reject(new RangeError('no')) }));
    await assert.rejects(failing.getReader().read(), RangeError);
    const odd = transfer(ReadableStream.from([() => 1]));
    await assert.rejects(odd.getReader().read(), { name: 'DataCloneError' });
  });

  it('gives a writable stream, and both sides of a transform', async () => {
    const written: unknown[] = [];
    const writer = transfer(new WritableStream({ write: (chunk) => void written.push(chunk) })).getWriter();
    await writer.write([1]);
    await writer.close();
    assert.deepEqual(written, [[1]]);
    const { readable, writable } = transfer(
      new TransformStream<number, number>({ transform: (chunk, controller) => controller.enqueue(chunk * 2) }),
    );
    const input = writable.getWriter();
    const reading = readable.getReader().read();
    await input.write(21);
    assert.equal((await reading).value, 42);
  });

  it('refuses locked streams, and streams that are not in the list', () => {
    const stream = new ReadableStream();
    assert.throws(() => structuredClone(stream), { name: 'DataCloneError' });
    stream.getReader();
    assert.throws(() => transfer(stream), { name: 'DataCloneError' });
  });
});
