/** Secrets: `wrangler secret …` and `wrangler versions secret …`. Values come in; names and types are all that goes out. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { Binding } from '../model.ts';
import type { Annotations } from '../store/index.ts';
import type { Resource } from './context.ts';
import { makerOf } from './drafts.ts';
import { ok, Result } from './envelope.ts';
import { BindingName, dropEmpty } from './metadata.ts';
import { toWorkerKey, type WorkerKey, WorkerParams } from './names.ts';
import { workerNotFound } from './releases.ts';
import { changeSecrets, type SecretChanges } from './secret-changes.ts';
import { toBindingBody, toVersionBody, VersionBody } from './wire.ts';

const MAX_ANNOTATION_CHARS = 1_000;
const TRIGGERED_BY_SECRET = { 'workers/triggered_by': 'secret' };

const Text = z.object({ type: z.literal('secret_text').default('secret_text'), text: z.string() });
const NewSecret = Text.extend({ name: BindingName });
const SecretParams = WorkerParams.extend({ secret: z.string().max(512) });
const SecretsBulk = z.object({ secrets: z.record(BindingName, Text.nullable()) });
const VersionPatch = z.object({
  env: z.record(BindingName, Text.nullable()).default({}),
  annotations: z.record(z.string().max(100), z.string().max(MAX_ANNOTATION_CHARS).nullish()).default({}),
});
const SecretBody = z.object({ name: z.string(), type: z.literal('secret_text') });

const tags = ['Secrets'];

export const registerSecrets: Resource = (app, { registry, releases }) => {
  const path = '/accounts/:account/workers/scripts/:name/secrets';

  const list = async ({ account, worker }: WorkerKey): Promise<Record<string, unknown>[]> => {
    if ((await registry.worker(account, worker)) === undefined) throw workerNotFound({ account, worker });
    const [newest] = await registry.listVersions(account, worker, { limit: 1 });
    return (newest?.spec.bindings ?? []).filter(({ type }) => type === 'secret_text').map(toBindingBody);
  };

  app.get(
    path,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Names and types of the secrets of the newest version',
        tags,
        params: WorkerParams,
        response: { 200: Result(z.array(SecretBody)) },
      },
    },
    async ({ params }) => ok(await list(toWorkerKey(params))),
  );

  app.get(
    `${path}/:secret`,
    {
      config: { scope: 'workers:read' },
      schema: { summary: 'One secret', tags, params: SecretParams, response: { 200: Result(SecretBody) } },
    },
    async ({ params }) => {
      const found = (await list(toWorkerKey(params))).find(({ name }) => name === params.secret);
      if (found === undefined) throw new PlatformError('secretNotFound', `There is no secret '${params.secret}'`);
      return ok(found);
    },
  );

  app.put(
    path,
    {
      config: { scope: 'workers:write', audit: 'secret.put' },
      schema: {
        summary: 'Puts a secret: a new version of the code that serves, with all traffic',
        tags,
        params: WorkerParams,
        body: NewSecret,
        response: { 200: Result(SecretBody) },
      },
    },
    async ({ params, body: { name, text, type }, headers, identity }) => {
      await releases.changeBindings(toWorkerKey(params), {
        ...toChange(new Map([[name, text]])),
        deploy: true,
        ...makerOf({ headers, identity }),
      });
      return ok({ name, type });
    },
  );

  app.delete(
    `${path}/:secret`,
    {
      config: { scope: 'workers:write', audit: 'secret.delete' },
      schema: {
        summary: 'Deletes a secret: a new version, with all traffic',
        tags,
        params: SecretParams,
        response: { 200: Result(z.null()) },
      },
    },
    async ({ params, headers, identity }) => {
      await releases.changeBindings(toWorkerKey(params), {
        ...toChange(new Map([[params.secret, null]])),
        deploy: true,
        ...makerOf({ headers, identity }),
      });
      return ok(null);
    },
  );

  app.patch(
    `${path}-bulk`,
    {
      config: { scope: 'workers:write', audit: 'secret.bulk' },
      schema: {
        summary: 'Puts and, where the value is null, deletes secrets: one new version, with all traffic',
        tags,
        params: WorkerParams,
        body: SecretsBulk,
        response: { 200: Result(z.array(SecretBody)) },
      },
    },
    async ({ params, body, headers, identity }) => {
      const key = toWorkerKey(params);
      await releases.changeBindings(key, {
        ...toChange(toChanges(body.secrets)),
        deploy: true,
        ...makerOf({ headers, identity }),
      });
      return ok(await list(key));
    },
  );

  app.patch(
    '/accounts/:account/workers/workers/:name/versions/latest',
    {
      config: { scope: 'workers:write', audit: 'version.secrets' },
      schema: {
        summary: 'Makes a version with other secrets of the newest one, without deploying it',
        tags,
        params: WorkerParams,
        body: VersionPatch,
        response: { 200: Result(VersionBody) },
      },
    },
    async ({ params, body, headers, identity }) => {
      const version = await releases.changeBindings(toWorkerKey(params), {
        ...toChange(toChanges(body.env), dropEmpty(body.annotations)),
        deploy: false,
        ...makerOf({ headers, identity }),
      });
      return ok(toVersionBody(version));
    },
  );
};

function toChange(
  changes: SecretChanges,
  annotations: Annotations = {},
): { change: (bindings: readonly Binding[]) => readonly Binding[]; annotations: Annotations } {
  return {
    change: (bindings) => changeSecrets(bindings, changes),
    annotations: { ...TRIGGERED_BY_SECRET, ...annotations },
  };
}

function toChanges(secrets: Readonly<Record<string, { text: string } | null>>): SecretChanges {
  return new Map(Object.entries(secrets).map(([name, secret]) => [name, secret === null ? null : secret.text]));
}
