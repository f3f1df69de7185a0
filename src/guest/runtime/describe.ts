/** Thrown values as strings, read defensively: a tenant's getters and proxies may throw, loop or answer nonsense. */
import { isDOMException } from '../events/index.ts';
import { isArray, objectGetOwnPropertyDescriptor, objectToString } from '../primordials.ts';
import { jsonStringify, reflectOwnKeys, stringSlice } from './intrinsics.ts';

const MAX_KEYS = 100; // looked at, of a thrown value that is no Error
const MAX_FIELD = 8 * 1024; // characters of each field; a stack of ten frames is well under 2 KB

const MAX_CAUSES = 4; // of an error, its cause, the cause of that …
const MAX_MEMBERS = 8; // of an AggregateError

const NativeError = Error;
const NativeString = String;

export interface Description {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** Never throws; each field is a string of at most 8 KB. */
export function describeError(thrown: unknown): Description {
  if ((typeof thrown !== 'object' && typeof thrown !== 'function') || thrown === null) {
    return { name: 'Error', message: bounded(primitiveText(thrown)), stack: '' };
  }
  // Getters are an Error's own business; those of other values are not called.
  const isErrorLike = isError(thrown);
  const read = isErrorLike ? readString : readData;
  const name = read(thrown, 'name');
  const message = read(thrown, 'message');
  const stack = isErrorLike ? (readStack(thrown) ?? '') + reasonsOf(thrown) : (readData(thrown, 'stack') ?? '');
  if (name === undefined && message === undefined) {
    return { name: 'Error', message: bounded(objectText(thrown)), stack: bounded(stack) };
  }
  return { name: bounded(name ?? 'Error'), message: bounded(message ?? ''), stack: bounded(stack) };
}

export function messageOf(thrown: unknown): string {
  const { name, message } = describeError(thrown);
  return `${name}: ${message}`;
}

/** What V8 leaves out of a stack: the cause, and that of the cause, and an AggregateError's members. */
function reasonsOf(thrown: object): string {
  let text = '';
  const errors = readValue(thrown, 'errors');
  if (isArray(errors)) {
    for (let i = 0; i < MAX_MEMBERS; i++) {
      const member = readValue(errors, i);
      if (member !== undefined) text += `\n  [errors.${i}]: ${reasonText(member)}`;
    }
  }
  let from = thrown;
  for (let depth = 0; depth < MAX_CAUSES && text.length < MAX_FIELD; depth++) {
    const cause = readValue(from, 'cause');
    if (cause === undefined) break;
    text += `\n  [cause]: ${reasonText(cause)}`;
    if (typeof cause !== 'object' || cause === null) break;
    from = cause;
  }
  return text;
}

function reasonText(reason: unknown): string {
  if (typeof reason !== 'object' || reason === null) return bounded(primitiveText(reason));
  const stack = readStack(reason);
  if (stack !== undefined && stack !== '') return bounded(stack);
  const message = readString(reason, 'message');
  return bounded(message === undefined ? objectText(reason) : `${readString(reason, 'name') ?? 'Error'}: ${message}`);
}

function readValue(from: object, key: string | number): unknown {
  try {
    return (from as Record<string | number, unknown>)[key];
  } catch {
    return undefined;
  }
}

function isError(thrown: object): boolean {
  try {
    return objectToString(thrown) === '[object Error]' || isDOMException(thrown) || thrown instanceof NativeError;
  } catch {
    return false; // a proxy's trap
  }
}

function readData(from: object, key: string): string | undefined {
  try {
    const value: unknown = objectGetOwnPropertyDescriptor(from, key)?.value;
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function readString(from: object, key: string): string | undefined {
  try {
    const value: unknown = (from as Record<string, unknown>)[key];
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A tenant's `Error.prepareStackTrace` is set aside meanwhile: the frames below belong to the runtime. */
function readStack(from: object): string | undefined {
  const holder = NativeError as { prepareStackTrace?: unknown };
  let before: unknown;
  try {
    before = holder.prepareStackTrace;
    if (before !== undefined) holder.prepareStackTrace = undefined;
  } catch {
    return undefined;
  }
  const stack = readString(from, 'stack');
  try {
    if (before !== undefined) holder.prepareStackTrace = before;
  } catch {
    // It has become read-only: the tenant's own doing.
  }
  return stack;
}

function primitiveText(value: unknown): string {
  return typeof value === 'symbol' ? 'Symbol()' : NativeString(value);
}

function objectText(value: object): string {
  try {
    const keys = reflectOwnKeys(value);
    for (let i = 0; i < keys.length && i < MAX_KEYS; i++) {
      if (objectGetOwnPropertyDescriptor(value, keys[i]!)?.get !== undefined) return 'Thrown value is not an Error';
    }
    const text: unknown = jsonStringify(value);
    return typeof text === 'string' ? text : 'Thrown value is not an Error';
  } catch {
    return 'Thrown value is not an Error';
  }
}

function bounded(text: string): string {
  return text.length > MAX_FIELD ? stringSlice(text, 0, MAX_FIELD) : text;
}
