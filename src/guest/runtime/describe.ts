/** Thrown values as strings, read defensively: a tenant's getters and proxies may throw, loop or answer nonsense. */
import { jsonStringify, stringSlice } from './intrinsics.ts';

const MAX_FIELD = 8 * 1024; // characters of each field; a stack of ten frames is well under 2 KB

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
  const name = readString(thrown, 'name');
  const message = readString(thrown, 'message');
  const stack = readStack(thrown);
  if (name === undefined && message === undefined) {
    return { name: 'Error', message: bounded(objectText(thrown)), stack: bounded(stack ?? '') };
  }
  return { name: bounded(name ?? 'Error'), message: bounded(message ?? ''), stack: bounded(stack ?? '') };
}

export function messageOf(thrown: unknown): string {
  const { name, message } = describeError(thrown);
  return `${name}: ${message}`;
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
    const text: unknown = jsonStringify(value);
    return typeof text === 'string' ? text : 'Thrown value is not an Error';
  } catch {
    return 'Thrown value is not an Error';
  }
}

function bounded(text: string): string {
  return text.length > MAX_FIELD ? stringSlice(text, 0, MAX_FIELD) : text;
}
