import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import ivm from 'isolated-vm';

/** Collects the paths of all built-ins: `Array.from`, `Iterator.prototype[Symbol.dispose]` ... */
const COLLECT = `
  function collect() {
    const paths = [];
    const seen = new Set();
    const walk = (object, path) => {
      for (const key of Reflect.ownKeys(object)) {
        const name = typeof key === 'symbol' ? path + '[' + key.description + ']' : path === '' ? key : path + '.' + key;
        if (path === '' && (key === 'globalThis' || key === 'collect' || key === 'before')) continue;
        paths.push(name);
        const { value } = Object.getOwnPropertyDescriptor(object, key);
        if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) continue;
        seen.add(value);
        if (key !== 'constructor') walk(value, name);
      }
    };
    walk(globalThis, '');
    return paths;
  }`;

/** What the guest runtime must not touch while the snapshot is made, because V8 adds it to a context only later. */
const LATER = [
  'AsyncDisposableStack',
  'Atomics.pause',
  'Date.prototype.toTemporalInstant',
  'DisposableStack',
  'Error.isError',
  'Error.stackTraceLimit',
  'Iterator.concat',
  'Iterator.prototype[Symbol.dispose]',
  'Map.prototype.getOrInsert',
  'Map.prototype.getOrInsertComputed',
  'Promise.try',
  'RegExp.escape',
  'SharedArrayBuffer',
  'SuppressedError',
  'Temporal',
  'Uint8Array.fromBase64',
  'Uint8Array.fromHex',
  'Uint8Array.prototype.setFromBase64',
  'Uint8Array.prototype.setFromHex',
  'Uint8Array.prototype.toBase64',
  'Uint8Array.prototype.toHex',
  'WeakMap.prototype.getOrInsert',
  'WeakMap.prototype.getOrInsertComputed',
  'WebAssembly',
];

describe('A snapshot', () => {
  it('is made without the built-ins that are known to come later: another V8 may have others', () => {
    const snapshot = ivm.Isolate.createSnapshot([{ code: `${COLLECT}; globalThis.before = collect();` }]);
    const isolate = new ivm.Isolate({ memoryLimit: 32, snapshot });
    const added = isolate
      .createContextSync()
      .evalSync(`const known = new Set(before); collect().filter((path) => !known.has(path))`, {
        copy: true,
      }) as string[];
    isolate.dispose();
    // Of a thing that is all new, its own name will do.
    const roots = added.filter(
      (path) => !added.some((other) => path.startsWith(`${other}.`) || path.startsWith(`${other}[`)),
    );
    assert.deepEqual(roots.toSorted(), LATER);
  });
});
