/**
 * `structuredClone` (HTML standard, section 2.7), in one pass: nothing here crosses a realm, so there is no serialized
 * form between. Brand checks that throw cost 3 us each and are made only where a cheap test leaves doubt.
 */
import type { Blob } from './blob/blob.ts';
import {
  arrayBufferByteLength,
  arrayBufferDetached,
  arrayBufferMaxByteLength,
  arrayBufferResizable,
  arrayBufferResize,
  arrayBufferSlice,
  arrayPush,
  bigintValue,
  booleanValue,
  cloneOther,
  createResizable,
  dataViewBuffer,
  dataViewByteLength,
  dataViewByteOffset,
  dateValue,
  DOMException,
  forms,
  isArray,
  isArrayBuffer,
  isBlob,
  isDOMException,
  isPlatformObject,
  isSharedArrayBuffer,
  isStream,
  isView,
  mapForEach,
  numberValue,
  objectGetPrototypeOf,
  objectHasOwn,
  objectKeys,
  objectToString,
  regExpFlags,
  regExpSource,
  requireArguments,
  SafeMap,
  SafeSet,
  setForEach,
  stringValue,
  type StructuredCloneOptions,
  toDOMString,
  toTransferList,
  transferBuffer,
  type Transferable,
  transferables,
  typedArrayAt,
  typedArrayBuffer,
  typedArrayByteOffset,
  typedArrayLength,
  typedArrayTag,
} from './shared.ts';

/** What has been copied already, original to copy. */
interface Memory {
  readonly copies: SafeMap<object, unknown>;
  /** What will be transferred. Set during the rehearsal only. */
  readonly leaving: SafeSet<object> | undefined;
  /** Views on those, as they are before their buffer is detached. */
  readonly geometry: SafeMap<object, Geometry>;
}

type Geometry = readonly [buffer: ArrayBuffer, offset: number, length: number | undefined];

const ERROR_TYPES = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;
type ViewType = new (buffer: ArrayBuffer, offset: number, length?: number) => object;
const WIDEST_ELEMENT = 8; // bytes
const VIEW_TYPES: Readonly<Record<string, unknown>> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float16Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};

/** Copies a value; throws a DataCloneError DOMException for what cannot be copied. What is transferred is detached. */
export function structuredClone(value: unknown, options?: StructuredCloneOptions | null): unknown {
  requireArguments(arguments.length, 1, "Failed to execute 'structuredClone'");
  const transfer = options?.transfer;
  if (transfer === undefined || transfer === null) {
    return clone(value, { copies: new SafeMap(), leaving: undefined, geometry: new SafeMap() });
  }
  return cloneWithTransfer(value, toTransferList(transfer)).copy;
}

/** The copy, and what has been made of the transferred values, in their order. `source` must not be among them. */
export function cloneWithTransfer(
  value: unknown,
  transfer: readonly object[],
  source?: object,
): { readonly copy: unknown; readonly transferred: readonly object[] } {
  const geometry = new SafeMap<object, Geometry>();
  const leaving = new SafeSet<object>();
  for (let i = 0; i < transfer.length; i++) {
    const item = transfer[i]!;
    const obstacle = item === source ? 'A MessagePort cannot be sent through itself' : findObstacle(item);
    if (obstacle !== undefined) throw cloneError(obstacle);
    if (leaving.has(item)) throw cloneError('A value is in the transfer list twice');
    leaving.add(item);
  }
  // A rehearsal: what cannot be copied must throw before anything is detached.
  clone(value, { copies: new SafeMap(), leaving, geometry });
  const copies = new SafeMap<object, unknown>();
  const transferred: object[] = [];
  for (let i = 0; i < transfer.length; i++) {
    const item = transfer[i]!;
    // A getter that ran during the rehearsal may have detached it.
    const obstacle = findObstacle(item);
    if (obstacle !== undefined) throw cloneError(obstacle);
    const made = isArrayBuffer(item) ? transferBuffer(item) : findTransferable(item)!.transfer(item);
    copies.set(item, made);
    arrayPush(transferred, made);
  }
  return { copy: clone(value, { copies, leaving: undefined, geometry }), transferred };
}

function findObstacle(item: object): string | undefined {
  if (isArrayBuffer(item)) {
    return arrayBufferDetached(item) ? 'An ArrayBuffer in the transfer list is detached' : undefined;
  }
  const kind = findTransferable(item);
  return kind === undefined ? 'A value in the transfer list is not transferable' : kind.obstacle(item);
}

function findTransferable(item: unknown): Transferable | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  for (let i = 0; i < transferables.length; i++) if (transferables[i]!.isOne(item)) return transferables[i];
  return undefined;
}

function clone(value: unknown, memory: Memory): unknown {
  if (typeof value === 'symbol') throw cloneError(`${String(value)} could not be cloned`);
  if (typeof value === 'function') throw cloneError('A function could not be cloned');
  if (typeof value !== 'object' || value === null) return value;
  const known = memory.copies.get(value);
  if (known !== undefined) return known;
  if (memory.leaving?.has(value)) return value; // only a rehearsal: nobody sees it
  const prototype = objectGetPrototypeOf(value) as object | null;
  if (prototype === Object.prototype || prototype === null) return clonePlain(value, memory);
  if (isArray(value)) return cloneArray(value, memory);
  const copy = cloneExotic(value, memory);
  if (copy === undefined) return clonePlain(value, memory);
  if (!memory.copies.has(value)) memory.copies.set(value, copy);
  return copy;
}

function clonePlain(value: object, memory: Memory): object {
  const copy: Record<string, unknown> = {};
  memory.copies.set(value, copy);
  copyProperties(value, copy, memory);
  return copy;
}

function cloneArray(value: unknown[], memory: Memory): unknown[] {
  const copy: unknown[] = [];
  copy.length = value.length;
  memory.copies.set(value, copy);
  copyProperties(value, copy as unknown as Record<string, unknown>, memory);
  return copy;
}

function copyProperties(from: object, to: Record<string, unknown>, memory: Memory): void {
  for (const key of objectKeys(from)) {
    if (!objectHasOwn(from, key)) continue; // a getter before it may have deleted it
    const value = clone((from as Record<string, unknown>)[key], memory);
    if (key === '__proto__') {
      Object.defineProperty(to, key, { value, writable: true, enumerable: true, configurable: true });
    } else to[key] = value;
  }
}

/** A copy of a value with inner state; undefined for ordinary objects. */
function cloneExotic(value: object, memory: Memory): object | undefined {
  if (isView(value)) return cloneView(value, memory);
  if (isBlob(value)) return cloneBlob(value);
  if (isDOMException(value)) return new DOMException(value.message, value.name);
  const other = cloneOther(value);
  if (other !== undefined) return other;
  if (isPlatformObject(value) || isStream(value)) throw cloneError(`${objectToString(value)} could not be cloned`);
  const tag = objectToString(value);
  if (tag === '[object Object]') return undefined;
  try {
    switch (tag) {
      case '[object Date]':
        return new Date(dateValue(value));
      case '[object RegExp]':
        return new RegExp(regExpSource(value), regExpFlags(value));
      case '[object Boolean]':
        return Object(booleanValue(value)) as object;
      case '[object Number]':
        return Object(numberValue(value)) as object;
      case '[object String]':
        return Object(stringValue(value)) as object;
      case '[object BigInt]':
        return Object(bigintValue(value)) as object;
      case '[object Map]':
        return cloneMap(value, memory);
      case '[object Set]':
        return cloneSet(value, memory);
      case '[object ArrayBuffer]':
        return isArrayBuffer(value) ? cloneBuffer(value) : undefined;
      case '[object SharedArrayBuffer]':
        if (isSharedArrayBuffer(value)) throw cloneError('A SharedArrayBuffer could not be cloned');
        return undefined;
      case '[object Error]':
        return cloneErrorObject(value as Error, memory);
      default:
    }
  } catch (error) {
    if (error instanceof Misbranded) return undefined;
    throw error;
  }
  if (value instanceof Promise || value instanceof WeakMap || value instanceof WeakSet || value instanceof WeakRef) {
    throw cloneError(`${tag} could not be cloned`);
  }
  return undefined;
}

/** The tag of a value was forged: it is an ordinary object. */
class Misbranded extends Error {}

function cloneMap(value: object, memory: Memory): object {
  const entries: [unknown, unknown][] = [];
  collect(() => mapForEach(value, (item, key) => void entries.push([key, item])));
  const copy = new Map();
  memory.copies.set(value, copy);
  for (const [key, item] of entries) copy.set(clone(key, memory), clone(item, memory));
  return copy;
}

function cloneSet(value: object, memory: Memory): object {
  const items: unknown[] = [];
  collect(() => setForEach(value, (item) => void items.push(item)));
  const copy = new Set();
  memory.copies.set(value, copy);
  for (const item of items) copy.add(clone(item, memory));
  return copy;
}

function collect(visit: () => void): void {
  try {
    visit();
  } catch {
    throw new Misbranded();
  }
}

function cloneBuffer(value: ArrayBuffer): ArrayBuffer {
  if (arrayBufferDetached(value)) throw cloneError('An ArrayBuffer is detached and could not be cloned');
  if (!arrayBufferResizable(value)) return arrayBufferSlice(value, 0);
  const copy = createResizable(arrayBufferByteLength(value), arrayBufferMaxByteLength(value));
  new Uint8Array(copy).set(new Uint8Array(value));
  return copy;
}

function cloneView(value: ArrayBufferView, memory: Memory): object {
  const tag = typedArrayTag(value);
  const known = memory.geometry.get(value);
  const [buffer, offset, length] = known ?? readGeometry(value, tag);
  if (memory.leaving?.has(buffer)) {
    memory.geometry.set(value, [buffer, offset, length]);
    return value; // only a rehearsal: nobody sees it
  }
  const type = (tag === undefined ? DataView : VIEW_TYPES[tag]) as ViewType;
  const target = clone(buffer, memory) as ArrayBuffer;
  return length === undefined ? new type(target, offset) : new type(target, offset, length);
}

function readGeometry(value: ArrayBufferView, tag: string | undefined): Geometry {
  try {
    if (tag === undefined) {
      const buffer = dataViewBuffer(value);
      const length = followsBuffer(buffer, () => dataViewByteLength(value)) ? undefined : dataViewByteLength(value);
      return [buffer, dataViewByteOffset(value), length];
    }
    typedArrayAt(value, 0); // throws when its buffer is detached or has shrunk below it
  } catch {
    throw cloneError('A view is out of the bounds of its buffer and could not be cloned');
  }
  const buffer = typedArrayBuffer(value);
  const length = followsBuffer(buffer, () => typedArrayLength(value)) ? undefined : typedArrayLength(value);
  return [buffer, typedArrayByteOffset(value), length];
}

/** Does the length of a view change with its buffer's? Nothing but trying tells. */
function followsBuffer(buffer: ArrayBuffer, readLength: () => number): boolean {
  if (isSharedArrayBuffer(buffer) || !arrayBufferResizable(buffer)) return false;
  const bytes = arrayBufferByteLength(buffer);
  const before = readLength();
  const grown = bytes + WIDEST_ELEMENT;
  if (grown > arrayBufferMaxByteLength(buffer)) return false;
  arrayBufferResize(buffer, grown);
  const follows = readLength() !== before;
  arrayBufferResize(buffer, bytes);
  return follows;
}

function cloneBlob(value: Blob): Blob {
  const bytes = forms().blobBytes(value);
  if (!forms().isFile(value)) return forms().createBlob(bytes, forms().blobType(value));
  return forms().createFile(bytes, value.name, forms().blobType(value), value.lastModified);
}

function cloneErrorObject(value: Error, memory: Memory): Error {
  const name = toDOMString(value.name);
  const type = objectHasOwn(ERROR_TYPES, name) ? ERROR_TYPES[name as keyof typeof ERROR_TYPES] : Error;
  const message = Object.getOwnPropertyDescriptor(value, 'message');
  const copy = message !== undefined && 'value' in message ? new type(toDOMString(message.value)) : new type();
  const stack = value.stack as unknown;
  if (typeof stack === 'string') {
    Object.defineProperty(copy, 'stack', { value: stack, writable: true, configurable: true });
  }
  memory.copies.set(value, copy);
  if (objectHasOwn(value, 'cause')) {
    const cause = clone(value.cause, memory);
    Object.defineProperty(copy, 'cause', { value: cause, writable: true, configurable: true });
  }
  return copy;
}

function cloneError(message: string): DOMException {
  return new DOMException(message, 'DataCloneError');
}
