/** KV namespaces: `wrangler kv namespace …`. */
import { z } from 'zod';
import { PlatformError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import type { ControlContext, Resource } from '../context.ts';
import { ok, Result } from '../envelope.ts';
import { AccountParams } from '../names.ts';
import {
  findNamespace,
  KV_PATH,
  NAMESPACE_PATH,
  NamespaceBody,
  NamespaceParams,
  toAddress,
  toNamespaceBody,
} from './names.ts';

const MAX_TITLE_CHARS = 512; // the same as in Workers
const MAX_PAGE = 1_000;
const PAGE_WORKERS = 100;
const WORKERS_NAMED = 5; // of those that still use a namespace

const tags = ['KV'];
const Title = z.object({ title: z.string().trim().min(1).max(MAX_TITLE_CHARS) });
const Pages = z.object({
  page: z.coerce.number().int().min(1).max(1_000_000).default(1),
  per_page: z.coerce.number().int().min(1).max(MAX_PAGE).default(100),
});

export const registerKvNamespaces: Resource = (app, context) => {
  const { kv, randomUUID } = context;

  app.get(
    KV_PATH,
    {
      config: { scope: 'kv:read' },
      schema: {
        summary: 'KV namespaces of an account, by title',
        tags,
        params: AccountParams,
        querystring: Pages,
        response: { 200: Result(z.array(NamespaceBody), { paged: true }) },
      },
    },
    async ({ params, query: { page, per_page } }) => {
      const { namespaces, total } = await kv.listNamespaces(params.account, {
        offset: (page - 1) * per_page,
        limit: per_page,
      });
      return ok(namespaces.map(toNamespaceBody), { page, per_page, count: namespaces.length, total_count: total });
    },
  );

  app.post(
    KV_PATH,
    {
      config: { scope: 'kv:write', audit: 'kv.create' },
      schema: {
        summary: 'Makes a KV namespace',
        tags,
        params: AccountParams,
        body: Title,
        response: { 200: Result(NamespaceBody) },
      },
    },
    async (request) => {
      const namespace = { id: randomUUID().replaceAll('-', ''), title: request.body.title };
      await kv.createNamespace(request.params.account, namespace);
      request.auditTarget = namespace.id;
      return ok(toNamespaceBody(namespace));
    },
  );

  app.get(
    NAMESPACE_PATH,
    {
      config: { scope: 'kv:read' },
      schema: { summary: 'A KV namespace', tags, params: NamespaceParams, response: { 200: Result(NamespaceBody) } },
    },
    async ({ params }) => ok(toNamespaceBody(await findNamespace(context, toAddress(params)))),
  );

  app.put(
    NAMESPACE_PATH,
    {
      config: { scope: 'kv:write', audit: 'kv.rename' },
      schema: {
        summary: 'Gives a KV namespace another title',
        tags,
        params: NamespaceParams,
        body: Title,
        response: { 200: Result(NamespaceBody) },
      },
    },
    async ({ params, body: { title } }) => {
      await kv.renameNamespace(toAddress(params), title);
      return ok(toNamespaceBody({ id: params.namespace, title }));
    },
  );

  app.delete(
    NAMESPACE_PATH,
    {
      config: { scope: 'kv:write', audit: 'kv.delete' },
      schema: {
        summary: 'Deletes a KV namespace and all that is in it; one that a deployed Worker binds only with force=true',
        tags,
        params: NamespaceParams,
        querystring: z.object({ force: z.enum(['true', 'false']).default('false') }),
        response: { 200: Result(z.null()) },
      },
    },
    async ({ params, query }) => {
      await findNamespace(context, toAddress(params));
      if (query.force === 'false') await refuseUsed(context, params.account, params.namespace);
      await kv.deleteNamespace(toAddress(params));
      return ok(null);
    },
  );
};

async function refuseUsed(context: ControlContext, account: AccountId, namespace: string): Promise<void> {
  const workers: string[] = [];
  for await (const worker of usersOf(context, account, namespace)) {
    if (workers.push(worker) === WORKERS_NAMED) break;
  }
  if (workers.length === 0) return;
  throw new PlatformError(
    'kvNamespaceInUse',
    `Cannot delete KV namespace '${namespace}': deployed Workers bind it (${workers.join(', ')}); ` +
      'deploy them without it first, or ask with ?force=true',
  );
}

/** Workers with a deployed version that binds the namespace. */
async function* usersOf({ registry }: ControlContext, account: AccountId, namespace: string): AsyncIterable<string> {
  for (let offset = 0, more = true; more; offset += PAGE_WORKERS) {
    // oxlint-disable-next-line no-await-in-loop -- a page at a time
    const { workers, total } = await registry.listWorkers(account, { offset, limit: PAGE_WORKERS });
    for (const { name } of workers) {
      // oxlint-disable-next-line no-await-in-loop
      const shares = (await registry.route(account, name))?.route.shares ?? [];
      // oxlint-disable-next-line no-await-in-loop
      const versions = await Promise.all(shares.map(({ version }) => registry.versionById(version)));
      const bindings = versions.flatMap((version) => version?.spec.bindings ?? []);
      if (bindings.some((binding) => binding.type === 'kv_namespace' && binding.namespaceId === namespace)) yield name;
    }
    more = offset + PAGE_WORKERS < total;
  }
}
