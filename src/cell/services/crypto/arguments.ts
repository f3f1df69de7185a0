/** The arguments of a method of SubtleCrypto, from the plain data that crossed (guest/subtle/request.ts). */
import { ServiceError } from '../service.ts';
import type { Handles, KeyEntry } from './handles.ts';

export interface Arguments {
  readonly values: readonly unknown[];
  /** The keys among them, in order. */
  readonly keys: readonly KeyEntry[];
}

interface Source {
  readonly bytes: Uint8Array;
  readonly handles: Handles;
  readonly keys: KeyEntry[];
}

const MAX_ARGUMENTS = 7;
const MAX_DEPTH = 3; // an argument is an algorithm, in it a hash, in it bytes
const NOTHING = new Uint8Array(0);

export function toArguments(parameters: unknown, bytes: Uint8Array | undefined, handles: Handles): Arguments {
  const list = isRecord(parameters) && isRecord(parameters['args']) ? Object.values(parameters['args']) : [];
  if (list.length === 0 || list.length > MAX_ARGUMENTS) throw malformed();
  const source: Source = { bytes: bytes ?? NOTHING, handles, keys: [] };
  return { values: list.map((value) => toArgument(value, source, 1)), keys: source.keys };
}

function toArgument(value: unknown, source: Source, depth: number): unknown {
  if (!isRecord(value)) return value;
  if (depth > MAX_DEPTH || Array.isArray(value)) throw malformed();
  if ('bytes' in value) return slice(source.bytes, value['at'], value['bytes']);
  if ('key' in value) {
    const entry = source.handles.key(value['key']);
    source.keys.push(entry);
    return entry.key;
  }
  if ('usages' in value) return toUsages(value['usages']);
  if ('jwk' in value) return toJsonWebKey(value['jwk']);
  // `fromEntries` defines: a member called `__proto__` is one like any other.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toArgument(item, source, depth + 1)]));
}

function slice(bytes: Uint8Array, at: unknown, length: unknown): Uint8Array {
  if (!isCount(at) || !isCount(length) || at + length > bytes.length) throw malformed();
  return bytes.subarray(at, at + length);
}

function toUsages(text: unknown): string[] {
  if (typeof text !== 'string') throw malformed();
  return text === '' ? [] : text.split(',');
}

/** Lists crossed as records of their indices. */
function toJsonWebKey(value: unknown): object {
  if (!isRecord(value)) throw malformed();
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isRecord(item) ? Object.values(item) : item]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function malformed(): ServiceError {
  return new ServiceError('OperationError', 'The operation failed: its parameters are malformed');
}
