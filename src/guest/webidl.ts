/** What Web IDL asks of every interface, for classes written by hand. */
import {
  objectCreate,
  objectDefineProperty,
  objectGetOwnPropertyDescriptor,
  objectGetPrototypeOf,
  objectSetPrototypeOf,
  reflectOwnKeys,
} from './primordials.ts';
import { isWellFormed, SafeWeakSet, toWellFormed } from './runtime/intrinsics.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- any class at all
type AnyClass = abstract new (...args: any) => object;

const { hasOwn } = Object;
const interfaces = new SafeWeakSet<object>();

/**
 * Makes the members of a class enumerable and gives it its `Symbol.toStringTag`. `lengths` are the `length`s of functions
 * with optional parameters (which TypeScript's `?` does not leave out): members, statics, or `constructor`.
 */
export function defineInterface(type: AnyClass, name: string, lengths: Readonly<Record<string, number>> = {}): void {
  // Parts are loaded when a tenant's code has run: nothing here may go by an iterator.
  const keys = reflectOwnKeys(lengths) as string[];
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const prototype = type.prototype as Record<string, object>;
    const statics = type as unknown as Record<string, object>;
    const target = key === 'constructor' ? type : hasOwn(prototype, key) ? prototype[key] : statics[key];
    objectDefineProperty(target as object, 'length', { value: lengths[key], configurable: true });
  }
  nameFunction(type, name);
  interfaces.add(type.prototype as object);
  makeEnumerable(type.prototype as object);
  objectDefineProperty(type.prototype, Symbol.toStringTag, { value: name, configurable: true });
}

/** Gives a function its name back, which the bundler may have shortened. */
export function nameFunction(value: { readonly name: string }, name: string): void {
  if (value.name !== name) objectDefineProperty(value, 'name', { value: name, configurable: true });
}

/** Is the value an instance of an interface made with `defineInterface`, or of a subclass of one? */
export function isPlatformObject(value: object): boolean {
  let prototype = objectGetPrototypeOf(value) as object | null;
  while (prototype !== null) {
    if (interfaces.has(prototype)) return true;
    prototype = objectGetPrototypeOf(prototype) as object | null;
  }
  return false;
}

/** Defines read-only numeric constants on a class and on its prototype. */
export function defineConstants(type: AnyClass, constants: Readonly<Record<string, number>>): void {
  for (const name in constants) {
    const descriptor = { value: constants[name], enumerable: true };
    objectDefineProperty(type, name, descriptor);
    objectDefineProperty(type.prototype, name, descriptor);
  }
}

/** `%Iterator.prototype%`. */
const ITERATOR_PROTOTYPE = objectGetPrototypeOf(objectGetPrototypeOf([][Symbol.iterator]())) as object;

/** The prototype of a `default iterator object` of an interface, e.g. `FormData Iterator`. */
export function createIteratorPrototype(name: string): object {
  const prototype = objectCreate(ITERATOR_PROTOTYPE) as object;
  objectDefineProperty(prototype, Symbol.toStringTag, { value: `${name} Iterator`, configurable: true });
  return prototype;
}

/** Makes a class with a `next` method the `default iterator object` of an interface. */
export function defineIterator(type: AnyClass, name: string): void {
  const prototype = type.prototype as { constructor?: unknown };
  objectSetPrototypeOf(prototype, ITERATOR_PROTOTYPE);
  objectDefineProperty(prototype, 'next', { enumerable: true });
  objectDefineProperty(prototype, Symbol.toStringTag, { value: `${name} Iterator`, configurable: true });
  delete prototype.constructor;
}

/** Web IDL `USVString`. */
export function toUSVString(value: unknown): string {
  const text = typeof value === 'string' ? value : toDOMString(value);
  return isWellFormed(text) ? text : toWellFormed(text);
}

/** Web IDL `DOMString`: as `String()`, but a symbol throws. */
export function toDOMString(value: unknown): string {
  return typeof value === 'string' ? value : `${value as number}`;
}

/** Throws the TypeError browsers throw for too few arguments. */
export function requireArguments(count: number, required: number, what: string): void {
  if (count >= required) return;
  throw new TypeError(`${what}: ${required} argument${required === 1 ? '' : 's'} required, but only ${count} present.`);
}

function makeEnumerable(prototype: object): void {
  const keys = reflectOwnKeys(prototype);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (typeof key !== 'string' || key === 'constructor') continue;
    const descriptor = objectGetOwnPropertyDescriptor(prototype, key);
    if (descriptor?.configurable) objectDefineProperty(prototype, key, { ...descriptor, enumerable: true });
  }
}
