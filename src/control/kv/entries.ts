/** What is in KV namespaces: `wrangler kv key …` and `wrangler kv bulk …` (with `--remote`). */
import { z } from 'zod';
import { PlatformError } from '../../errors.ts';
import { checkKey, checkKeyLength, fromCursor, toCursor } from '../../kv/index.ts';
import { MAX_KV_BULK_BYTES, MAX_KV_KEYS_READ, MAX_KV_LIST_KEYS, MAX_KV_VALUE_BYTES } from '../../limits.ts';
import type { KvAddress, KvEntry, KvKey } from '../../store/index.ts';
import { bodyBytes, checkBodyBy } from '../body.ts';
import { parseJson } from '../json.ts';
import type { ControlContext, Resource } from '../context.ts';
import { ok, Result } from '../envelope.ts';
import { BulkKeys, BulkPut } from './bulk-body.ts';
import { BulkParser } from './bulk-parser.ts';
import { toEntry } from './entry.ts';
import { checked, findNamespace, KeyParams, NAMESPACE_PATH, NamespaceParams, toAddress } from './names.ts';
import { readValueBody } from './value-body.ts';

const MAX_CURSOR_CHARS = 1_000;
const tags = ['KV'];

const Seconds = z.coerce.number();
const Expires = z.object({ expiration: Seconds.optional(), expiration_ttl: Seconds.optional() });
const KeyBody = z.object({ name: z.string(), expiration: z.int().optional(), metadata: z.json().optional() });
const Range = z.object({
  prefix: z.string().default(''),
  limit: z.coerce.number().int().min(1).max(MAX_KV_LIST_KEYS).default(MAX_KV_LIST_KEYS),
  cursor: z.string().max(MAX_CURSOR_CHARS).default(''),
});
const BulkGet = z.object({
  keys: z.array(z.string()).min(1).max(MAX_KV_KEYS_READ),
  type: z.enum(['text', 'json']).default('text'),
  withMetadata: z.boolean().default(false),
});
const BulkResult = z.object({ successful_key_count: z.int(), unsuccessful_keys: z.array(z.string()) });

export const registerKvEntries: Resource = (app, context) => {
  const { kv, now } = context;

  app.get(
    `${NAMESPACE_PATH}/keys`,
    {
      config: { scope: 'kv:read' },
      schema: {
        summary: 'Keys of a namespace, in the order of their UTF-8 bytes',
        tags,
        params: NamespaceParams,
        querystring: Range,
        response: { 200: Result(z.array(KeyBody), { paged: 'cursor' }) },
      },
    },
    async ({ params, query: { prefix, limit, cursor } }) => {
      const after = checked('list KV keys', () => {
        checkKeyLength(prefix);
        return fromCursor(cursor);
      });
      const { keys, more } = await kv.list(toAddress(params), { prefix, limit, after });
      return ok(keys.map(toKeyBody), { count: keys.length, cursor: more ? toCursor(keys.at(-1)!.key) : '' });
    },
  );

  app.get(
    `${NAMESPACE_PATH}/values/*`,
    { config: { scope: 'kv:read' }, schema: { summary: 'A value, as it is', tags, params: KeyParams } },
    async ({ params }, reply) => {
      const { value, expiresAt } = await find(context, toAddress(params), params['*']);
      if (expiresAt !== undefined) reply.header('expiration', expiresAt);
      // Somebody's bytes, from where operators are signed in: nothing that a browser would show.
      reply.header('x-content-type-options', 'nosniff').header('content-disposition', 'attachment');
      return reply.type('application/octet-stream').send(Buffer.from(value));
    },
  );

  app.get(
    `${NAMESPACE_PATH}/metadata/*`,
    {
      config: { scope: 'kv:read' },
      schema: { summary: 'The metadata of a key', tags, params: KeyParams, response: { 200: Result(z.json()) } },
    },
    async ({ params }) => {
      const { metadata } = await find(context, toAddress(params), params['*']);
      return ok(metadata === undefined ? null : JSON.parse(metadata));
    },
  );

  app.put(
    `${NAMESPACE_PATH}/values/*`,
    {
      config: { scope: 'kv:write', body: 'stream', audit: 'kv.put' },
      schema: {
        summary: 'Puts a value: as the body, or as `value` of a form that has `metadata` too',
        tags,
        consumes: ['application/octet-stream', 'multipart/form-data'],
        params: KeyParams,
        querystring: Expires,
        response: { 200: Result(z.null()) },
      },
    },
    async (request) => {
      const { params, query } = request;
      checked('put KV key', () => checkKey(params['*']));
      await findNamespace(context, toAddress(params)); // before a large body is read
      const { value, metadata } = await readValueBody(request);
      const entry = toEntry({ key: params['*'], value, metadata: parseMetadata(metadata), ...query }, now());
      await kv.put(toAddress(params), [entry]);
      return ok(null);
    },
  );

  app.delete(
    `${NAMESPACE_PATH}/values/*`,
    {
      config: { scope: 'kv:write', audit: 'kv.delete-key' },
      schema: { summary: 'Deletes a key', tags, params: KeyParams, response: { 200: Result(z.null()) } },
    },
    async ({ params }) => {
      checked('delete KV key', () => checkKey(params['*']));
      await kv.delete(toAddress(params), [params['*']]);
      return ok(null);
    },
  );

  const bulk = new BulkParser();
  const asBytes = checkBodyBy((body) => body); // read by the parser, which may take a thread
  const large = { scope: 'kv:write', body: 'bytes', maxBodyBytes: MAX_KV_BULK_BYTES } as const;
  app.put(
    `${NAMESPACE_PATH}/bulk`,
    {
      config: { ...large, audit: 'kv.bulk-put' },
      validatorCompiler: asBytes,
      schema: {
        summary: 'Puts many values, all or none',
        tags,
        params: NamespaceParams,
        body: BulkPut,
        response: { 200: Result(BulkResult) },
      },
    },
    async (request) => {
      const address = toAddress(request.params);
      await findNamespace(context, address);
      const entries = await bulk.put({ account: address.account, bytes: bodyBytes(request) }, now());
      await kv.put(address, entries);
      return ok({ successful_key_count: entries.length, unsuccessful_keys: [] });
    },
  );

  const deletion = {
    config: { ...large, audit: 'kv.bulk-delete' },
    validatorCompiler: asBytes,
    schema: {
      summary: 'Deletes many keys',
      tags,
      params: NamespaceParams,
      body: BulkKeys,
      response: { 200: Result(BulkResult) },
    },
  } as const;
  const deleteMany = async (request: { params: z.output<typeof NamespaceParams>; body: unknown }) => {
    const address = toAddress(request.params);
    await findNamespace(context, address);
    const keys = await bulk.keys({ account: address.account, bytes: bodyBytes(request) });
    await kv.delete(address, keys);
    return ok({ successful_key_count: keys.length, unsuccessful_keys: [] });
  };
  app.delete(`${NAMESPACE_PATH}/bulk`, deletion, deleteMany);
  app.post(`${NAMESPACE_PATH}/bulk/delete`, deletion, deleteMany);

  app.post(
    `${NAMESPACE_PATH}/bulk/get`,
    {
      config: { scope: 'kv:read', audit: false },
      schema: {
        summary: `Up to ${MAX_KV_KEYS_READ} values`,
        tags,
        params: NamespaceParams,
        body: BulkGet,
        response: { 200: Result(z.object({ values: z.record(z.string(), z.json()) })) },
      },
    },
    async ({ params, body }) => {
      const { entries, tooLarge } = await kv.read(toAddress(params), body.keys, { maxBytes: MAX_KV_VALUE_BYTES });
      if (entries === undefined) {
        throw new PlatformError(
          'kvLimit',
          `Cannot get ${body.keys.length} KV keys: they have ${tooLarge} bytes, limit is ${MAX_KV_VALUE_BYTES}`,
        );
      }
      const values = body.keys.map((key, i) => [key, toBulkValue(entries[i], body)] as const);
      return ok({ values: Object.fromEntries(values) });
    },
  );
};

async function find({ kv }: ControlContext, address: KvAddress, key: string): Promise<KvEntry> {
  checked('get KV key', () => checkKey(key));
  const { entries } = await kv.read(address, [key], { maxBytes: Infinity });
  if (entries?.[0] !== undefined) return entries[0];
  throw new PlatformError('kvKeyNotFound', 'get: key not found');
}

function parseMetadata(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return parseJson(text);
  } catch (error) {
    throw new PlatformError('badRequest', `Cannot put KV key: its metadata is no JSON: ${(error as Error).message}`);
  }
}

function toKeyBody({ key, expiresAt, metadata }: KvKey): z.output<typeof KeyBody> {
  return {
    name: key,
    ...(expiresAt !== undefined && { expiration: expiresAt }),
    ...(metadata !== undefined && { metadata: JSON.parse(metadata) as z.output<typeof KeyBody>['metadata'] }),
  };
}

function toBulkValue(entry: KvEntry | undefined, { type, withMetadata }: z.output<typeof BulkGet>): unknown {
  if (entry === undefined) return null;
  const text = Buffer.from(entry.value).toString('utf8');
  const value = type === 'json' ? parseValue(entry.key, text) : text;
  if (!withMetadata) return value;
  return {
    value,
    metadata: entry.metadata === undefined ? null : (JSON.parse(entry.metadata) as unknown),
    ...(entry.expiresAt !== undefined && { expiration: entry.expiresAt }),
  };
}

function parseValue(key: string, text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new PlatformError(
      'badRequest',
      `Cannot get KV key "${key.slice(0, 100)}" as JSON: ${(error as Error).message}`,
    );
  }
}
