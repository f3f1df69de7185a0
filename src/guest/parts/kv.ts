/**
 * `env.KV`: a KV namespace (host side: src/kv). The surface, and the texts of errors, are those of Workers' KV.
 */
import { KV_STATUS } from '../abi.ts';
import {
  askBinding,
  type BindingAnswer,
  copyBytes,
  defineInterface,
  encodeComponent,
  isArray,
  isReadableStream,
  jsonParse,
  jsonStringify,
  mapSet,
  requireArguments,
  stringIndexOf,
  stringSlice,
  toDOMString,
  toUSVString,
  utf8Decode,
} from '../core.ts';
import { readWhole, toMetadata, toValue, TYPES, unpack, type ValueType } from './kv/values.ts';

const { none: NONE, done: DONE, ok: OK } = KV_STATUS;
const MAX_KEYS = 100;
const MAX_LIST_KEYS = 1_000;
const MIN_CACHE_TTL_S = 30;
const NO_BODY = { source: null, used: false, shared: false };

/** Lets the runtime construct. */
const KEY = Symbol('kv');
let newNamespace: (binding: number) => KvNamespace;

export class KvNamespace {
  #binding = 0;

  constructor(key: unknown) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
  }

  static {
    newNamespace = (binding) => {
      const namespace = new KvNamespace(KEY);
      namespace.#binding = binding;
      return namespace;
    };
  }

  async get(key: unknown, options?: unknown): Promise<unknown> {
    requireArguments(arguments.length, 1, "Failed to execute 'get' on 'KvNamespace'");
    if (isArray(key)) return this.#many(key, options, (value) => value);
    const type = toValueType(options);
    const { status, body } = await this.#ask('GET', `get\n${toKey(key)}`);
    return status === NONE ? null : toValue(body, type);
  }

  async getWithMetadata(key: unknown, options?: unknown): Promise<unknown> {
    requireArguments(arguments.length, 1, "Failed to execute 'getWithMetadata' on 'KvNamespace'");
    if (isArray(key)) {
      return this.#many(key, options, (value, metadata) => ({ value, metadata, cacheStatus: null }));
    }
    const type = toValueType(options);
    const { status, head, body } = await this.#ask('GET', `get\n${toKey(key)}`);
    if (status === NONE) return { value: null, metadata: null, cacheStatus: null };
    return { value: await toValue(body, type), metadata: toMetadata(head), cacheStatus: null };
  }

  async put(key: unknown, value: unknown, options?: unknown): Promise<void> {
    requireArguments(arguments.length, 2, "Failed to execute 'put' on 'KvNamespace'");
    const name = toKey(key);
    const { expiration, expirationTtl, metadata } = toDictionary(options);
    const json = metadata === undefined ? undefined : (jsonStringify(metadata) as string | undefined);
    const question = `put\n${name}\n${toNumber(expiration)}\n${toNumber(expirationTtl)}\n${encodeComponent(json ?? '')}`;
    await this.#ask('PUT', question, toBody(value));
  }

  async delete(key: unknown): Promise<void> {
    requireArguments(arguments.length, 1, "Failed to execute 'delete' on 'KvNamespace'");
    await this.#ask('DELETE', `delete\n${toKey(key)}`);
  }

  async list(options?: unknown): Promise<unknown> {
    const { prefix, limit, cursor } = toDictionary(options);
    const count = limit === undefined || limit === null ? MAX_LIST_KEYS : toNumber(limit);
    const start = `list\n${encodeComponent(toOptional(prefix))}\n${count}\n${encodeComponent(toOptional(cursor))}`;
    const { body } = await this.#ask('GET', start);
    const page = await readWhole(body, (bytes) => jsonParse(utf8Decode(bytes)) as { keys: unknown; cursor: unknown });
    if (page.cursor === null) return { keys: page.keys, list_complete: true, cacheStatus: null };
    return { keys: page.keys, list_complete: false, cursor: page.cursor, cacheStatus: null };
  }

  async #many(
    list: readonly unknown[],
    options: unknown,
    toResult: (value: unknown, metadata: unknown) => unknown,
  ): Promise<Map<string, unknown>> {
    const type = toValueType(options);
    if (type !== 'text' && type !== 'json') {
      throw new Error(`KV GET_BULK failed: 400 "${type}" is not a valid type. Use "json" or "text"`);
    }
    const { length } = list;
    if (length > MAX_KEYS) {
      throw new Error(`KV GET_BULK failed: 400 You can request a maximum of ${MAX_KEYS} keys`);
    }
    const keys: string[] = [];
    let lines = '';
    for (let i = 0; i < length; i++) {
      keys[i] = toUSVString(list[i]);
      lines += (i === 0 ? '' : '\n') + toKey(keys[i]);
    }
    const results = new Map<string, unknown>();
    if (length === 0) return results;
    const { body } = await this.#ask('GET_BULK', 'many', { source: lines, used: false, shared: false });
    const found = await readWhole(body, unpack);
    for (let i = 0; i < length; i++) {
      const { bytes, metadata } = found[i]!;
      const value = bytes === undefined ? null : textValue(utf8Decode(bytes), type);
      mapSet(results, keys[i]!, toResult(value, metadata));
    }
    return results;
  }

  /** Throws for every answer but a good one and that there is no such key. */
  async #ask(
    method: string,
    question: string,
    body: Parameters<typeof askBinding>[2] = NO_BODY,
  ): Promise<{ status: string; head: string; body: BindingAnswer['body'] }> {
    const answer = await askBinding(this.#binding, question, body);
    const end = stringIndexOf(answer.head, '\n');
    const status = stringSlice(answer.head, 0, end);
    const head = stringSlice(answer.head, end + 1);
    if (status === OK || status === DONE || (status === NONE && head === ''))
      return { status, head, body: answer.body };
    throw new Error(`KV ${method} failed: ${status} ${head}`);
  }
}

defineInterface(KvNamespace, 'KvNamespace', { get: 1, getWithMetadata: 1, put: 2, delete: 1, list: 0, constructor: 0 });

/** The namespace that the binding of this index is for. */
export function createNamespace(binding: number): KvNamespace {
  return newNamespace(binding);
}

function toKey(value: unknown): string {
  const key = toUSVString(value);
  if (key === '') throw new TypeError('Key name cannot be empty.');
  if (key === '.' || key === '..') throw new TypeError(`"${key}" is not allowed as a key name.`);
  return encodeComponent(key);
}

function toValueType(options: unknown): ValueType {
  const { type = 'text', cacheTtl } = typeof options === 'string' ? { type: options } : toDictionary(options);
  if (cacheTtl !== undefined && cacheTtl !== null && !(+(cacheTtl as never) >= MIN_CACHE_TTL_S)) {
    throw new Error(
      `KV GET failed: 400 Invalid cache_ttl of ${toDOMString(cacheTtl)}. Cache TTL must be at least ${MIN_CACHE_TTL_S}.`,
    );
  }
  const name = type === null ? 'text' : toDOMString(type);
  for (let i = 0; i < TYPES.length; i++) if (TYPES[i] === name) return TYPES[i]!;
  throw new TypeError('Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".');
}

function toDictionary(options: unknown): Readonly<Record<string, unknown>> {
  if (options === undefined || options === null) return {};
  if (typeof options !== 'object' && typeof options !== 'function')
    throw new TypeError('The options are not an object');
  return options as Readonly<Record<string, unknown>>;
}

/** '' for what is not given. */
function toNumber(value: unknown): string {
  return value === undefined || value === null ? '' : `${+(value as never)}`;
}

function toOptional(value: unknown): string {
  return value === undefined || value === null ? '' : toUSVString(value);
}

function toBody(value: unknown): Parameters<typeof askBinding>[2] {
  if (typeof value !== 'object' || value === null) {
    return { source: toUSVString(value), used: false, shared: false };
  }
  const source = isReadableStream(value) ? value : copyBytes(value);
  if (source !== undefined) return { source, used: false, shared: false };
  throw new TypeError('KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.');
}

function textValue(text: string, type: ValueType): unknown {
  return type === 'json' ? jsonParse(text) : text;
}
