/**
 * More built-ins captured while the bundle loads, for the runtime's own bookkeeping: see primordials.ts for why.
 * Methods are uncurried: `stringSlice(text, 0, 1)`.
 */
import { reflectApply, uncurryThis } from '../primordials.ts';

export {
  functionBind,
  isView,
  objectCreate,
  objectDefineProperty,
  promiseThen,
  reflectApply,
  reflectConstruct,
  reflectOwnKeys,
} from '../primordials.ts';

export const isEnumerable = uncurryThis(Object.prototype.propertyIsEnumerable) as (
  self: object,
  key: PropertyKey,
) => boolean;
export const symbolIterator: typeof Symbol.iterator = Symbol.iterator;
export const { stringify: jsonStringify, parse: jsonParse } = JSON;

export const stringSlice = uncurryThis(String.prototype.slice) as (self: string, start: number, end?: number) => string;
export const stringIndexOf = uncurryThis(String.prototype.indexOf) as (
  self: string,
  text: string,
  from?: number,
) => number;
export const stringSplit = uncurryThis(String.prototype.split) as (self: string, separator: string) => string[];
export const toLowerCase = uncurryThis(String.prototype.toLowerCase) as (self: string) => string;
export const toUpperCase = uncurryThis(String.prototype.toUpperCase) as (self: string) => string;
export const charCodeAt = uncurryThis(String.prototype.charCodeAt) as (self: string, at: number) => number;
export const isWellFormed = uncurryThis(String.prototype.isWellFormed) as (self: string) => boolean;
export const toWellFormed = uncurryThis(String.prototype.toWellFormed) as (self: string) => string;
export const regExpExec = uncurryThis(RegExp.prototype.exec) as (self: RegExp, text: string) => RegExpExecArray | null;
export const arraySort = uncurryThis(Array.prototype.sort) as <T>(self: T[], compare: (a: T, b: T) => number) => T[];

export const mapSet = uncurryThis(Map.prototype.set) as <K, V>(self: Map<K, V>, key: K, value: V) => Map<K, V>;
export const encodeComponent = encodeURIComponent;
export const decodeComponent = decodeURIComponent;

export const arrayUnshift = uncurryThis(Array.prototype.unshift) as <T>(self: T[], item: T) => number;

export const finalizationRegister = uncurryThis(FinalizationRegistry.prototype.register) as <T>(
  self: FinalizationRegistry<T>,
  target: WeakKey,
  held: T,
) => void;

export const NativePromise = Promise;
const { resolve, reject } = Promise;
export function promiseResolve<T>(value: T): Promise<Awaited<T>> {
  return reflectApply(resolve, NativePromise, [value]) as Promise<Awaited<T>>;
}
export function promiseReject(reason: unknown): Promise<never> {
  return reflectApply(reject<never>, NativePromise, [reason]);
}

/** A `Map` with methods of its own, which a tenant cannot reach to replace. Not to be iterated with `for of`. */
export class SafeMap<K, V> extends Map<K, V> {}
/** A `Set` with methods of its own. Not to be iterated with `for of`. */
export class SafeSet<T> extends Set<T> {}
/** A `WeakMap` with methods of its own. */
export class SafeWeakMap<K extends WeakKey, V> extends WeakMap<K, V> {}
/** A `WeakSet` with methods of its own. */
export class SafeWeakSet<T extends WeakKey> extends WeakSet<T> {}

copyMethods(Map.prototype, SafeMap.prototype);
copyMethods(Set.prototype, SafeSet.prototype);
copyMethods(WeakMap.prototype, SafeWeakMap.prototype);
copyMethods(WeakSet.prototype, SafeWeakSet.prototype);

function copyMethods(from: object, to: object): void {
  for (const key of Reflect.ownKeys(from)) {
    if (key !== 'constructor') Object.defineProperty(to, key, Object.getOwnPropertyDescriptor(from, key)!);
  }
  Object.setPrototypeOf(to, null);
  Object.freeze(to);
}
