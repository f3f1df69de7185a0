/** Sessions of `wrangler tail`. Their events go over a WebSocket, whose URL carries a token of its own. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { TailFilters, TAILS_PATH } from '../tail/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { toWorkerKey, type WorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';

const MAX_ID_CHARS = 100;
const PATH = '/accounts/:account/workers/scripts/:name/tails';

/** What else wrangler and others send is of no use here. */
const TailRequest = z.object({ filters: TailFilters.default([]) }).nullish();
const TailBody = z.object({ id: z.string(), expires_at: z.iso.datetime() });

export const registerTails: Resource = (app, { registry, tails }) => {
  const findWorker = async (key: WorkerKey): Promise<WorkerKey> => {
    if ((await registry.worker(key.account, key.worker)) === undefined) throw workerNotFound(key);
    return key;
  };

  app.post(
    PATH,
    {
      config: { scope: 'tail:read' },
      schema: {
        summary: 'Begins to tail a Worker; the URL it answers opens a WebSocket without any other token',
        tags: ['Tail'],
        params: WorkerParams,
        body: TailRequest,
        response: { 200: Result(TailBody.extend({ url: z.string() })) },
      },
    },
    async (request) => {
      const key = await findWorker(toWorkerKey(request.params));
      const filters = request.body?.filters ?? [];
      const { id, expiresAt, token } = await tails.create({ ...key, filters, self: request.client.address });
      return ok({ id, url: `${toOrigin(request)}${TAILS_PATH}${token}`, expires_at: toIso(expiresAt) });
    },
  );

  app.get(
    PATH,
    {
      config: { scope: 'tail:read' },
      schema: {
        summary: 'Lists who tails a Worker',
        tags: ['Tail'],
        params: WorkerParams,
        response: { 200: Result(z.array(TailBody.extend({ connected: z.boolean() }))) },
      },
    },
    async ({ params }) => {
      const key = await findWorker(toWorkerKey(params));
      return ok(
        tails.list(key).map(({ id, expiresAt, connected }) => ({ id, expires_at: toIso(expiresAt), connected })),
      );
    },
  );

  app.delete(
    `${PATH}/:tail`,
    {
      config: { scope: 'tail:read' },
      schema: {
        summary: 'Ends a tail',
        tags: ['Tail'],
        params: z.object({ ...WorkerParams.shape, tail: z.string().max(MAX_ID_CHARS) }),
        response: { 200: Result(z.null()) },
      },
    },
    async ({ params }) => {
      tails.delete(toWorkerKey(params), params.tail);
      return ok(null);
    },
  );
};

/** Where the sender has reached this server: the WebSocket is to take the same way, proxies included. */
function toOrigin({ client, host }: FastifyRequest): string {
  return `${client.scheme === 'https' ? 'wss' : 'ws'}://${host}`;
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}
