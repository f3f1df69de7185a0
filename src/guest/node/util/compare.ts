/** Deep equality as `util.isDeepStrictEqual` and `assert.deepEqual` mean it. */
import { typedArrayTag } from '../../core.ts';
import { types } from './types.ts';

type Mode = 'loose' | 'partial' | 'strict';
type Pairs = [object, object][];

export function isDeepEqual(a: unknown, b: unknown, mode: Mode = 'strict'): boolean {
  return equal(a, b, mode, []);
}

function equal(a: unknown, b: unknown, mode: Mode, seen: Pairs): boolean {
  if (a === b) return a !== 0 || mode === 'loose' || Object.is(a, b);
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) {
    if (mode !== 'loose') return Object.is(a, b);
    // oxlint-disable-next-line eqeqeq -- that is what loose means
    return (typeof a !== 'object' || a === null) && (typeof b !== 'object' || b === null)
      ? a == b || (Number.isNaN(a) && Number.isNaN(b))
      : false;
  }
  if (mode === 'strict' && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (Object.prototype.toString.call(a) !== Object.prototype.toString.call(b)) return false;
  if (!sameKind(a, b, mode)) return false;
  for (const [left, right] of seen) if (left === a) return right === b;
  seen.push([a, b]);
  const same = sameContents(a, b, mode, seen);
  seen.pop();
  return same;
}

/** Compares what is not in properties: dates, patterns, bytes, boxed values, messages. */
function sameKind(a: object, b: object, mode: Mode): boolean {
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && (mode === 'partial' ? a.length >= b.length : a.length === b.length);
  }
  if (types['isDate']!(a)) return types['isDate']!(b) && Object.is(Number(a), Number(b));
  if (types['isRegExp']!(a)) {
    return types['isRegExp']!(b) && String(a) === String(b) && (a as RegExp).lastIndex === (b as RegExp).lastIndex;
  }
  if (types['isNativeError']!(a) || a instanceof Error) {
    const [left, right] = [a as Error, b as Error];
    return left.message === right.message && left.name === right.name && isDeepEqual(left.cause, right.cause, mode);
  }
  if (ArrayBuffer.isView(a)) return ArrayBuffer.isView(b) && sameBytes(a, b, mode);
  if (types['isArrayBuffer']!(a))
    return sameBytes(new Uint8Array(a as ArrayBuffer), new Uint8Array(b as ArrayBuffer), mode);
  if (types['isBoxedPrimitive']!(a)) return types['isBoxedPrimitive']!(b) && Object.is(a.valueOf(), b.valueOf());
  if (types['isWeakMap']!(a) || types['isWeakSet']!(a) || a instanceof Promise) return false;
  return !Array.isArray(b);
}

function sameBytes(a: ArrayBufferView, b: ArrayBufferView, mode: Mode): boolean {
  if (mode === 'partial' ? a.byteLength < b.byteLength : a.byteLength !== b.byteLength) return false;
  const tag = typedArrayTag(a);
  if (tag !== typedArrayTag(b)) return false;
  if (tag?.startsWith('Float') === true) {
    const [left, right] = [a as Float64Array, b as Float64Array];
    return right.every((value, i) => (mode === 'loose' ? left[i] === value : Object.is(left[i], value)));
  }
  const left = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
  return new Uint8Array(b.buffer, b.byteOffset, b.byteLength).every((byte, i) => left[i] === byte);
}

function keysOf(value: object, mode: Mode): PropertyKey[] {
  const own: PropertyKey[] = Object.keys(value);
  if (mode === 'loose') return own;
  const symbols = Object.getOwnPropertySymbols(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key),
  );
  return [...own, ...symbols];
}

function sameContents(a: object, b: object, mode: Mode, seen: Pairs): boolean {
  if (types['isSet']!(a)) {
    if (!types['isSet']!(b) || !sameMembers([...(a as Set<unknown>)], [...(b as Set<unknown>)], mode, seen))
      return false;
  } else if (types['isMap']!(a)) {
    if (!types['isMap']!(b) || !sameEntries(a as Map<unknown, unknown>, b as Map<unknown, unknown>, mode, seen))
      return false;
  }
  if (ArrayBuffer.isView(a)) return true;
  const wanted = keysOf(b, mode);
  if (mode !== 'partial' && keysOf(a, mode).length !== wanted.length) return false;
  if (mode === 'partial' && Array.isArray(a)) return sameInOrder(a, b as unknown[], seen);
  return wanted.every(
    (key) =>
      Object.prototype.propertyIsEnumerable.call(a, key) && equal(Reflect.get(a, key), Reflect.get(b, key), mode, seen),
  );
}

/** The wanted items occur in the array, in their order. */
function sameInOrder(items: readonly unknown[], wanted: readonly unknown[], seen: Pairs): boolean {
  let at = 0;
  return wanted.every((want) => {
    while (at < items.length) if (equal(items[at++], want, 'partial', seen)) return true;
    return false;
  });
}

function sameMembers(a: unknown[], b: unknown[], mode: Mode, seen: Pairs): boolean {
  if (mode === 'partial' ? a.length < b.length : a.length !== b.length) return false;
  const left = new Set(a);
  const rest = b.filter((item) => !left.delete(item));
  return rest.every((item) => {
    for (const candidate of left) {
      if ((mode === 'loose' || typeof item === 'object') && equal(candidate, item, mode, seen))
        return left.delete(candidate);
    }
    return false;
  });
}

function sameEntries(a: Map<unknown, unknown>, b: Map<unknown, unknown>, mode: Mode, seen: Pairs): boolean {
  if (mode === 'partial' ? a.size < b.size : a.size !== b.size) return false;
  const left = new Map(a);
  const rest: [unknown, unknown][] = [];
  for (const [key, value] of b) {
    if (left.has(key) && equal(left.get(key), value, mode, seen)) left.delete(key);
    else rest.push([key, value]);
  }
  return rest.every(([key, value]) => {
    for (const [candidate, held] of left) {
      const keysMatch = (mode === 'loose' || typeof key === 'object') && equal(candidate, key, mode, seen);
      if (keysMatch && equal(held, value, mode, seen)) return left.delete(candidate);
    }
    return false;
  });
}
