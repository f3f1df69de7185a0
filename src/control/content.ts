/** The code of a version as it was uploaded: `wrangler versions secret` up to 4.110 fetches it and sends it again. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { ModuleKind, ModuleRef } from '../model.ts';
import type { Blobs, VersionRecord } from '../store/index.ts';
import type { Resource } from './context.ts';
import { parseVersionId, toWorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';
import { SOURCE_MAP_TYPE } from './upload.ts';

const MIME_TYPES: Readonly<Record<ModuleKind, string>> = {
  esm: 'application/javascript+module',
  cjs: 'application/javascript',
  script: 'application/javascript',
  text: 'text/plain',
  data: 'application/octet-stream',
  json: 'application/json',
  wasm: 'application/wasm',
};

const Query = z.object({ version: z.string().max(512).optional() });

export const registerContent: Resource = (app, { registry, blobs }) => {
  app.get(
    '/accounts/:account/workers/scripts/:name/content/v2',
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'The modules and source maps of a version, or of the newest one: a form, without envelope',
        tags: ['Versions'],
        produces: ['multipart/form-data'],
        params: WorkerParams,
        querystring: Query,
      },
    },
    async ({ params, query }, reply) => {
      const { account, worker } = toWorkerKey(params);
      const found = (await registry.worker(account, worker)) !== undefined;
      if (!found) throw workerNotFound({ account, worker });
      const version =
        query.version === undefined
          ? (await registry.listVersions(account, worker, { limit: 1 }))[0]
          : await registry.version(account, worker, parseVersionId(query.version));
      if (version === undefined) throw new PlatformError('versionNotFound', `Worker '${worker}' has no such version`);
      const content = await toContent(version, blobs);
      for (const [name, value] of content.headers) reply.header(name, value);
      return reply.send(Buffer.from(await content.arrayBuffer()));
    },
  );
};

/** A script in service-worker syntax goes out as it is: that is how wrangler knows it. */
async function toContent({ spec, modules, sourceMaps }: VersionRecord, blobs: Blobs): Promise<Response> {
  const main = modules.find(({ name }) => name === spec.mainModule);
  if (main?.kind === 'script') {
    return new Response(await read(main, blobs), { headers: { 'content-type': MIME_TYPES.script } });
  }
  const form = new FormData();
  for (const module of modules) await append(form, module, MIME_TYPES[module.kind]);
  for (const map of sourceMaps) await append(form, map, SOURCE_MAP_TYPE);
  return new Response(form, { headers: { 'cf-entrypoint': spec.mainModule } });

  async function append(target: FormData, ref: ModuleRef, type: string): Promise<void> {
    target.append(ref.name, new File([await read(ref, blobs)], ref.name, { type }));
  }
}

async function read({ name, sha256 }: ModuleRef, blobs: Blobs): Promise<Uint8Array<ArrayBuffer>> {
  const content = await blobs.get(sha256);
  if (content === undefined) throw new Error(`Cannot read module "${name}": its blob ${sha256} is missing`);
  return content as Uint8Array<ArrayBuffer>;
}
