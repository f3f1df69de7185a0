import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Blob } from './parts/forms.ts';
import { EventTarget } from './events/index.ts';
import { ReadableStream } from './parts/streams.ts';
import { structuredClone } from './structured-clone.ts';

describe('structuredClone()', () => {
  it('copies structures with their cycles and kinds', () => {
    const value: Record<string, unknown> = {
      list: Object.assign([], { 0: 1, 2: 'x' }),
      map: new Map([[{ k: 1 }, new Set([1n])]]),
      date: new Date(5),
      pattern: /x/gi,
      boxed: Object('s'),
      error: new RangeError('bad', { cause: 'why' }),
      view: new Uint16Array([1, 2, 3]).subarray(1),
      class: new (class Foo {
        a = 1;
      })(),
    };
    value['self'] = value;
    const copy = structuredClone(value) as typeof value;
    assert.equal(copy['self'], copy);
    assert.deepEqual(copy['list'], value['list']);
    assert.deepEqual(copy['map'], value['map']);
    assert.deepEqual([copy['date'], copy['pattern'], copy['boxed']], [value['date'], value['pattern'], value['boxed']]);
    const error = copy['error'] as Error;
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.message, error.cause], ['bad', 'why']);
    assert.deepEqual([...(copy['view'] as Uint16Array)], [2, 3]);
    assert.equal(Object.getPrototypeOf(copy['class']), Object.prototype);
  });

  it('keeps two views on one buffer together', () => {
    const buffer = new ArrayBuffer(4);
    const { a, b } = structuredClone({ a: new Uint8Array(buffer), b: new DataView(buffer, 2) }) as {
      a: Uint8Array;
      b: DataView;
    };
    assert.equal(a.buffer, b.buffer);
    assert.equal(b.byteOffset, 2);
  });

  it('throws a DataCloneError for what has no copy', () => {
    const none = [() => 1, Symbol('x'), new WeakMap(), Promise.resolve(), new EventTarget(), new ReadableStream()];
    for (const value of none) assert.throws(() => structuredClone({ value }), { name: 'DataCloneError' });
  });

  it('copies blobs', async () => {
    assert.equal(await (structuredClone(new Blob(['x'])) as Blob).text(), 'x');
  });

  it('transfers buffers, but only if all can be copied', () => {
    const buffer = new ArrayBuffer(8);
    const view = new Uint8Array(buffer, 2, 3);
    assert.throws(() => structuredClone({ view, no: () => 1 }, { transfer: [buffer] }), { name: 'DataCloneError' });
    assert.equal(buffer.detached, false);
    const copy = structuredClone({ view }, { transfer: [buffer] }) as { view: Uint8Array };
    assert.equal(buffer.detached, true);
    assert.deepEqual([copy.view.byteOffset, copy.view.length, copy.view.buffer.byteLength], [2, 3, 8]);
    assert.throws(() => structuredClone(1, { transfer: [buffer] }), { name: 'DataCloneError' });
  });

  it('is not fooled by a forged tag or a __proto__ key', () => {
    assert.deepEqual(structuredClone(Object.assign(Object.create({ [Symbol.toStringTag]: 'Map' }), { a: 1 })), {
      a: 1,
    });
    const copy = structuredClone(JSON.parse('{"__proto__":{"x":1}}')) as object;
    assert.ok(Object.hasOwn(copy, '__proto__'));
    assert.equal('x' in copy, false);
  });
});
