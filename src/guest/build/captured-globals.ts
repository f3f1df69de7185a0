/**
 * Names that the script binds for itself while it loads: whatever a tenant later puts on the global under `Promise`
 * or `TypeError`, the runtime keeps the original. Not `Date`, which the runtime itself replaces, and nothing of what
 * V8 adds only after a snapshot has been loaded.
 */
export const CAPTURED_GLOBALS = [
  'Array',
  'ArrayBuffer',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'DataView',
  'Error',
  'EvalError',
  'FinalizationRegistry',
  'Float32Array',
  'Float64Array',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Intl',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'Promise',
  'Proxy',
  'RangeError',
  'ReferenceError',
  'Reflect',
  'RegExp',
  'Set',
  'String',
  'Symbol',
  'SyntaxError',
  'TypeError',
  'URIError',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'WeakMap',
  'WeakRef',
  'WeakSet',
];

/** Of ours, for libraries that take them from the global: in parts only, where there are some to take. */
export const PLATFORM_GLOBALS = ['URL'];
