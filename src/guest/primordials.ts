/**
 * Built-ins as they were before tenant code ran. Code that keeps the runtime's own books (listeners, streams, bytes on
 * their way to the host) calls these, so that a patched prototype cannot redirect it.
 *
 * None of the built-ins that V8 installs after a snapshot has been loaded may be captured here: see webapi notes,
 * section 2 (`Uint8Array.fromBase64`, `Error.isError`, `Promise.try` ...). Look those up when they are called.
 */
const { bind, call } = Function.prototype;

/** Turns a method into a function that takes its `this` first. The caller asserts its type. */
export const uncurryThis = bind.bind(call) as unknown as (method: unknown) => unknown;

function uncurryGetter(prototype: object, key: PropertyKey): unknown {
  const getter = Object.getOwnPropertyDescriptor(prototype, key)?.get;
  if (getter === undefined) throw new Error(`No getter ${String(key)}`);
  return uncurryThis(getter);
}

export const { apply: reflectApply, construct: reflectConstruct, ownKeys: reflectOwnKeys } = Reflect;
export const {
  create: objectCreate,
  defineProperty: objectDefineProperty,
  freeze: objectFreeze,
  getOwnPropertyDescriptor: objectGetOwnPropertyDescriptor,
  getPrototypeOf: objectGetPrototypeOf,
  setPrototypeOf: objectSetPrototypeOf,
} = Object;
export const { isArray } = Array;
export const stringFromCharCode = String.fromCharCode;

export const objectToString = uncurryThis(Object.prototype.toString) as (self: unknown) => string;
export const functionToString = uncurryThis(Function.prototype.toString) as (self: object) => string;
export const functionBind = uncurryThis(bind) as <T extends (...parameters: never[]) => unknown>(
  self: T,
  receiver: unknown,
) => T;
export const arrayPush = uncurryThis(Array.prototype.push) as <T>(array: T[], item: T) => number;
export const arraySplice = uncurryThis(Array.prototype.splice) as <T>(array: T[], start: number, count: number) => T[];
export const arraySlice = uncurryThis(Array.prototype.slice) as <T>(
  array: readonly T[],
  start?: number,
  end?: number,
) => T[];
export const promiseThen = uncurryThis(Promise.prototype.then) as <T>(
  promise: Promise<T>,
  onFulfilled?: (value: T) => unknown,
  onRejected?: (reason: unknown) => unknown,
) => Promise<unknown>;

export const isView = ArrayBuffer.isView;
const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
export const typedArrayTag = uncurryGetter(typedArrayPrototype, Symbol.toStringTag) as (
  self: unknown,
) => string | undefined;
export const typedArrayBuffer = uncurryGetter(typedArrayPrototype, 'buffer') as (self: object) => ArrayBuffer;
export const typedArrayByteOffset = uncurryGetter(typedArrayPrototype, 'byteOffset') as (self: object) => number;
export const typedArrayByteLength = uncurryGetter(typedArrayPrototype, 'byteLength') as (self: object) => number;
export const typedArrayLength = uncurryGetter(typedArrayPrototype, 'length') as (self: object) => number;
export const dataViewBuffer = uncurryGetter(DataView.prototype, 'buffer') as (self: object) => ArrayBuffer;
export const dataViewByteOffset = uncurryGetter(DataView.prototype, 'byteOffset') as (self: object) => number;
export const dataViewByteLength = uncurryGetter(DataView.prototype, 'byteLength') as (self: object) => number;
export const arrayBufferByteLength = uncurryGetter(ArrayBuffer.prototype, 'byteLength') as (self: object) => number;
export const arrayBufferResizable = uncurryGetter(ArrayBuffer.prototype, 'resizable') as (self: object) => boolean;
export const arrayBufferMaxByteLength = uncurryGetter(ArrayBuffer.prototype, 'maxByteLength') as (
  self: object,
) => number;
export const arrayBufferDetached = uncurryGetter(ArrayBuffer.prototype, 'detached') as (self: object) => boolean;
export const arrayBufferSlice = uncurryThis(ArrayBuffer.prototype.slice) as (
  buffer: ArrayBuffer,
  start: number,
  end?: number,
) => ArrayBuffer;
export const arrayBufferResize = uncurryThis(ArrayBuffer.prototype.resize) as (
  buffer: ArrayBuffer,
  length: number,
) => void;
export const typedArraySet = uncurryThis(Uint8Array.prototype.set) as (
  target: Uint8Array,
  source: ArrayLike<number>,
  offset?: number,
) => void;
export const bytesSubarray = uncurryThis(Uint8Array.prototype.subarray) as (
  source: Uint8Array<ArrayBuffer>,
  start?: number,
  end?: number,
) => Uint8Array<ArrayBuffer>;
export const bytesSlice = uncurryThis(Uint8Array.prototype.slice) as (
  source: Uint8Array,
  start?: number,
  end?: number,
) => Uint8Array<ArrayBuffer>;

export const typedArrayAt = uncurryThis(Uint8Array.prototype.at) as (array: object, index: number) => unknown;
export const dateValue = uncurryThis(Date.prototype.getTime) as (value: object) => number;
export const weakRefDeref = uncurryThis(WeakRef.prototype.deref) as <T extends object>(
  ref: WeakRef<T>,
) => T | undefined;
export const dateToISOString = uncurryThis(Date.prototype.toISOString) as (date: object) => string;
export const booleanValue = uncurryThis(Boolean.prototype.valueOf) as (value: object) => boolean;
export const numberValue = uncurryThis(Number.prototype.valueOf) as (value: object) => number;
export const stringValue = uncurryThis(String.prototype.valueOf) as (value: object) => string;
export const bigintValue = uncurryThis(BigInt.prototype.valueOf) as (value: object) => bigint;
export const symbolValue = uncurryThis(Symbol.prototype.valueOf) as (value: object) => symbol;
export const symbolToString = uncurryThis(Symbol.prototype.toString) as (symbol: unknown) => string;
export const mapSize = uncurryGetter(Map.prototype, 'size') as (map: object) => number;
export const setSize = uncurryGetter(Set.prototype, 'size') as (set: object) => number;
export const mapForEach = uncurryThis(Map.prototype.forEach) as (
  map: object,
  visit: (v: unknown, k: unknown) => void,
) => void;
export const setForEach = uncurryThis(Set.prototype.forEach) as (set: object, visit: (v: unknown) => void) => void;
export const regExpToString = uncurryThis(RegExp.prototype.toString) as (regExp: object) => string;
export const regExpSource = uncurryGetter(RegExp.prototype, 'source') as (self: object) => string;
export const regExpFlags = uncurryGetter(RegExp.prototype, 'flags') as (self: object) => string;
export const { hasOwn: objectHasOwn, keys: objectKeys } = Object;
