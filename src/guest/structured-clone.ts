/**
 * `structuredClone` (HTML standard, section 2.7), in one pass: nothing here crosses a realm, so there is no serialized
 * form between. Brand checks that throw cost 3 us each and are made only where a cheap test leaves doubt.
 */
import { type Blob, blobBytes, blobType, createBlob, createFile, isBlob, isFile } from './blob/index.ts';
import { isArrayBuffer } from './bytes.ts';
import { DOMException, isDOMException } from './events/index.ts';
import {
  arrayBufferDetached,
  arrayBufferMaxByteLength,
  arrayBufferResizable,
  arrayBufferSlice,
  arrayBufferTransfer,
  arrayPush,
  dataViewBuffer,
  dataViewByteLength,
  dataViewByteOffset,
  isArray,
  isView,
  objectGetPrototypeOf,
  objectToString,
  typedArrayBuffer,
  typedArrayByteOffset,
  typedArrayLength,
  typedArrayTag,
  uncurryThis,
} from './primordials.ts';
import { isStream } from './streams/index.ts';
import { SafeMap, SafeSet } from './runtime/intrinsics.ts';
import { isPlatformObject, requireArguments, toDOMString } from './webidl.ts';

export interface StructuredCloneOptions {
  transfer?: Iterable<object>;
}

/** What has been copied already, original to copy. */
interface Memory {
  readonly copies: SafeMap<object, unknown>;
  /** What will be transferred. Set during the rehearsal only. */
  readonly leaving: SafeSet<object> | undefined;
  /** Views on those, as they are before their buffer is detached. */
  readonly geometry: SafeMap<object, Geometry>;
}

type Geometry = readonly [buffer: ArrayBuffer, offset: number, length: number];

const ERROR_TYPES = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError } as const;
type ViewType = new (buffer: ArrayBuffer, offset: number, length: number) => object;
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
const typedArrayAt = uncurryThis(Uint8Array.prototype.at) as (array: object, index: number) => unknown;
const dateValue = uncurryThis(Date.prototype.getTime) as (value: object) => number;
const booleanValue = uncurryThis(Boolean.prototype.valueOf) as (value: object) => boolean;
const numberValue = uncurryThis(Number.prototype.valueOf) as (value: object) => number;
const stringValue = uncurryThis(String.prototype.valueOf) as (value: object) => string;
const bigintValue = uncurryThis(BigInt.prototype.valueOf) as (value: object) => bigint;
const mapForEach = uncurryThis(Map.prototype.forEach) as (map: object, visit: (v: unknown, k: unknown) => void) => void;
const setForEach = uncurryThis(Set.prototype.forEach) as (set: object, visit: (v: unknown) => void) => void;
const regExpSource = getter(RegExp.prototype, 'source');
const regExpFlags = getter(RegExp.prototype, 'flags');
const { hasOwn, keys } = Object;
const objectPrototype = Object.prototype;

/** What can be transferred beside buffers, told by the parts of the runtime that have it. */
export interface Transferable {
  readonly isOne: (value: object) => boolean;
  /** Says why it cannot be transferred; undefined when it can. */
  readonly obstacle: (value: object) => string | undefined;
  /** A new object in place of the old one, which is of no use any more. */
  readonly transfer: (value: object) => object;
}

const transferables: Transferable[] = [];

export function addTransferable(kind: Transferable): void {
  arrayPush(transferables, kind);
}

/** Copies a value; throws a DataCloneError DOMException for what cannot be copied. What is transferred is detached. */
export function structuredClone(value: unknown, options?: StructuredCloneOptions | null): unknown {
  requireArguments(arguments.length, 1, "Failed to execute 'structuredClone'");
  const transfer = options?.transfer;
  if (transfer === undefined || transfer === null) {
    return clone(value, { copies: new SafeMap(), leaving: undefined, geometry: new SafeMap() });
  }
  return cloneWithTransfer(value, toTransferList(transfer)).copy;
}

/** A `transfer` as a list: it is iterated once. */
export function toTransferList(transfer: Iterable<object>): object[] {
  const list: object[] = [];
  for (const item of transfer) arrayPush(list, item);
  return list;
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
    const made = isArrayBuffer(item) ? arrayBufferTransfer(item) : findTransferable(item)!.transfer(item);
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
  if (prototype === objectPrototype || prototype === null) return clonePlain(value, memory);
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
  for (const key of keys(from)) {
    if (!hasOwn(from, key)) continue; // a getter before it may have deleted it
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
  const copy = new ArrayBuffer(value.byteLength, { maxByteLength: arrayBufferMaxByteLength(value) });
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
  return new type(clone(buffer, memory) as ArrayBuffer, offset, length);
}

function readGeometry(value: ArrayBufferView, tag: string | undefined): Geometry {
  try {
    if (tag === undefined) return [dataViewBuffer(value), dataViewByteOffset(value), dataViewByteLength(value)];
    typedArrayAt(value, 0); // throws when its buffer is detached or has shrunk below it
  } catch {
    throw cloneError('A view is out of the bounds of its buffer and could not be cloned');
  }
  return [typedArrayBuffer(value), typedArrayByteOffset(value), typedArrayLength(value)];
}

function cloneBlob(value: Blob): Blob {
  const bytes = blobBytes(value);
  if (!isFile(value)) return createBlob(bytes, blobType(value));
  return createFile(bytes, value.name, blobType(value), value.lastModified);
}

function cloneErrorObject(value: Error, memory: Memory): Error {
  const name = toDOMString(value.name);
  const type = hasOwn(ERROR_TYPES, name) ? ERROR_TYPES[name as keyof typeof ERROR_TYPES] : Error;
  const message = Object.getOwnPropertyDescriptor(value, 'message');
  const copy = message !== undefined && 'value' in message ? new type(toDOMString(message.value)) : new type();
  const stack = value.stack as unknown;
  if (typeof stack === 'string') {
    Object.defineProperty(copy, 'stack', { value: stack, writable: true, configurable: true });
  }
  memory.copies.set(value, copy);
  if (hasOwn(value, 'cause')) {
    const cause = clone(value.cause, memory);
    Object.defineProperty(copy, 'cause', { value: cause, writable: true, configurable: true });
  }
  return copy;
}

function getter(prototype: object, key: string): (self: object) => string {
  return uncurryThis(Object.getOwnPropertyDescriptor(prototype, key)?.get) as (self: object) => string;
}

function cloneError(message: string): DOMException {
  return new DOMException(message, 'DataCloneError');
}
