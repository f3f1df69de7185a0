/** `util.types`: what a value is, by its internal slots and not by what it says of itself. */
import { isArray, typedArrayTag, uncurryThis } from '../../core.ts';

type Check = (value: unknown) => boolean;

const { getOwnPropertyDescriptor } = Object;
const toStringOf = uncurryThis(Object.prototype.toString) as (value: unknown) => string;
const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

/** Calls something that throws unless the value has the slot. */
function slot(read: (value: object) => unknown): Check {
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    try {
      read(value);
      return true;
    } catch {
      return false;
    }
  };
}

function getter(prototype: object, key: PropertyKey): (value: object) => unknown {
  return uncurryThis(getOwnPropertyDescriptor(prototype, key)!.get) as (value: object) => unknown;
}

function method(prototype: object, key: string): (value: object, ...rest: unknown[]) => unknown {
  return uncurryThis(Reflect.get(prototype, key)) as (value: object) => unknown;
}

const hasWeak = method(WeakMap.prototype, 'has');
const inWeakSet = method(WeakSet.prototype, 'has');

function tagged(tag: string): Check {
  return (value) => typedArrayTag(value) === tag;
}

/** Objects whose only witness is the tag that `Object.prototype.toString` finds. */
function labelled(label: string): Check {
  return (value) => isObject(value) && toStringOf(value) === `[object ${label}]`;
}

const functionKinds: [string, object][] = [
  ['isAsyncFunction', Object.getPrototypeOf(async () => {}) as object],
  ['isGeneratorFunction', Object.getPrototypeOf(function* () {}) as object],
];
const asyncGeneratorFunction = Object.getPrototypeOf(async function* () {}) as object;

function hasPrototype(value: unknown, prototype: object): boolean {
  return typeof value === 'function' && Object.prototype.isPrototypeOf.call(prototype, value);
}

const isNumberObject = slot(method(Number.prototype, 'valueOf'));
const isStringObject = slot(method(String.prototype, 'valueOf'));
const isBooleanObject = slot(method(Boolean.prototype, 'valueOf'));
const isBigIntObject = slot(method(BigInt.prototype, 'valueOf'));
const isSymbolObject = slot(method(Symbol.prototype, 'valueOf'));
const isArrayBuffer = slot(getter(ArrayBuffer.prototype, 'byteLength'));

export const types: Record<string, Check> = {
  isExternal: () => false,
  isDate: slot(method(Date.prototype, 'getTime')),
  isArgumentsObject: (value) =>
    typeof value === 'object' && !isArray(value) && toStringOf(value) === '[object Arguments]',
  isBigIntObject,
  isBooleanObject,
  isNumberObject,
  isStringObject,
  isSymbolObject,
  isBoxedPrimitive: (value) =>
    isNumberObject(value) ||
    isStringObject(value) ||
    isBooleanObject(value) ||
    isBigIntObject(value) ||
    isSymbolObject(value),
  isNativeError: (value) => (Error as unknown as { isError: Check }).isError(value),
  isRegExp: slot(getter(RegExp.prototype, 'source')),
  isAsyncFunction: (value) => hasPrototype(value, functionKinds[0]![1]) || hasPrototype(value, asyncGeneratorFunction),
  isGeneratorFunction: (value) =>
    hasPrototype(value, functionKinds[1]![1]) || hasPrototype(value, asyncGeneratorFunction),
  isGeneratorObject: (value) => labelled('Generator')(value) || labelled('AsyncGenerator')(value),
  isPromise: (value) => labelled('Promise')(value) && value instanceof Promise,
  isMap: slot(getter(Map.prototype, 'size')),
  isSet: slot(getter(Set.prototype, 'size')),
  isMapIterator: labelled('Map Iterator'),
  isSetIterator: labelled('Set Iterator'),
  isWeakMap: slot((value) => hasWeak(value, {})),
  isWeakSet: slot((value) => inWeakSet(value, {})),
  isArrayBuffer,
  isAnyArrayBuffer: isArrayBuffer,
  isSharedArrayBuffer: () => false,
  isDataView: (value) => ArrayBuffer.isView(value) && typedArrayTag(value) === undefined,
  // Nothing but the engine itself can tell.
  isProxy: () => false,
  isModuleNamespaceObject: labelled('Module'),
  isArrayBufferView: (value) => ArrayBuffer.isView(value),
  isTypedArray: (value) => typedArrayTag(value) !== undefined,
  isUint8Array: tagged('Uint8Array'),
  isUint8ClampedArray: tagged('Uint8ClampedArray'),
  isUint16Array: tagged('Uint16Array'),
  isUint32Array: tagged('Uint32Array'),
  isInt8Array: tagged('Int8Array'),
  isInt16Array: tagged('Int16Array'),
  isInt32Array: tagged('Int32Array'),
  isFloat16Array: tagged('Float16Array'),
  isFloat32Array: tagged('Float32Array'),
  isFloat64Array: tagged('Float64Array'),
  isBigInt64Array: tagged('BigInt64Array'),
  isBigUint64Array: tagged('BigUint64Array'),
  isKeyObject: labelled('KeyObject'),
  isCryptoKey: labelled('CryptoKey'),
  isEventTarget: (value) => value instanceof EventTarget,
};
