/** Custom domains: `custom_domain: true` in wrangler's `routes`, and the list that other clients keep. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { parseHostname } from '../hostnames/index.ts';
import { MAX_ROUTES } from '../limits.ts';
import type { AccountId } from '../ids.ts';
import type { HostRuleRecord, Hostnames } from '../store/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams, parseWorkerName, toWorkerKey, WorkerParams } from './names.ts';
import { notAvailable } from './products.ts';

const MAX_HOSTNAME_CHARS = 2_048; // longer than any, so that one that is too long is refused as such
const MAX_ID_CHARS = 64;

const tags = ['Routing'];
const Origin = z.looseObject({
  hostname: z.string().max(MAX_HOSTNAME_CHARS),
  enabled: z.boolean().optional(),
  previews_enabled: z.boolean().optional(),
});
const Origins = z.array(Origin).max(MAX_ROUTES);
const Records = z.looseObject({ origins: Origins, override_existing_origin: z.boolean().default(false) });
const Attachment = z.looseObject({ hostname: z.string().max(MAX_HOSTNAME_CHARS), service: z.string().max(100) });
const DomainParams = AccountParams.extend({ domain: z.string().max(MAX_ID_CHARS) });
const DomainBody = z.object({ id: z.string(), hostname: z.string(), service: z.string(), environment: z.string() });
const Changed = z.looseObject({ hostname: z.string() });
const Changeset = z.object({
  added: z.array(Changed),
  updated: z.array(Changed),
  removed: z.array(Changed),
  conflicting: z.array(Changed),
});

export const registerDomains: Resource = (app, { hostnames, rules }) => {
  const script = '/accounts/:account/workers/scripts/:name/domains';
  const all = '/accounts/:account/workers/domains';

  app.post(
    `${script}/changeset`,
    {
      config: { scope: 'workers:read', audit: false },
      schema: {
        summary: 'What setting these custom domains would change',
        tags,
        params: WorkerParams,
        body: Origins,
        response: { 200: Result(Changeset) },
      },
    },
    async ({ params, body }) => {
      const { account, worker } = toWorkerKey(params);
      const wanted = new Set(body.map(({ hostname }) => parseHostname(hostname)));
      const domains = await domainsOf(hostnames, account);
      const known = domains.filter(({ host }) => wanted.has(host));
      return ok({
        added: [...wanted]
          .filter((host) => known.every((rule) => rule.host !== host))
          .map((hostname) => ({ hostname })),
        updated: known.map((rule) => ({ ...toDomainBody(rule), modified: rule.worker !== worker })),
        removed: domains.filter((rule) => rule.worker === worker && !wanted.has(rule.host)).map(toDomainBody),
        conflicting: [],
      });
    },
  );

  app.put(
    `${script}/records`,
    {
      config: { scope: 'workers:write', audit: 'domains.replace' },
      schema: {
        summary: 'Replaces the custom domains of a Worker',
        tags,
        params: WorkerParams,
        body: Records,
        response: { 200: Result(z.array(DomainBody)) },
      },
    },
    async ({ params, body }) => {
      for (const { enabled, previews_enabled } of body.origins) {
        if (enabled === false) throw notAvailable('a custom domain that is switched off');
        if (previews_enabled === true) throw notAvailable('previews on custom domains');
      }
      const patterns = body.origins.map(({ hostname }) => hostname);
      const takeOver = body.override_existing_origin;
      return ok((await rules.replace(toWorkerKey(params), 'domain', { patterns, takeOver })).map(toDomainBody));
    },
  );

  for (const path of [all, `${all}/records`]) {
    app.get(
      path,
      {
        config: { scope: 'workers:read' },
        schema: {
          summary: 'The custom domains of an account',
          tags,
          params: AccountParams,
          querystring: z.looseObject({ service: z.string().optional() }),
          response: { 200: Result(z.array(DomainBody)) },
        },
      },
      async ({ params, query }) => {
        const domains = await domainsOf(hostnames, params.account);
        const { service } = query;
        return ok(domains.filter(({ worker }) => service === undefined || worker === service).map(toDomainBody));
      },
    );
    app.get(
      `${path}/:domain`,
      {
        config: { scope: 'workers:read' },
        schema: { summary: 'One custom domain', tags, params: DomainParams, response: { 200: Result(DomainBody) } },
      },
      async ({ params }) => ok(toDomainBody(await requireDomain(hostnames, params))),
    );
    app.delete(
      `${path}/:domain`,
      {
        config: { scope: 'workers:write', audit: 'domain.delete' },
        schema: {
          summary: 'Takes a custom domain away',
          tags,
          params: DomainParams,
          response: { 200: Result(z.null()) },
        },
      },
      async ({ params }) => {
        const { id } = await requireDomain(hostnames, params);
        await rules.remove(params.account, id);
        return ok(null);
      },
    );
  }

  app.put(
    all,
    {
      config: { scope: 'workers:write', audit: 'domain.create' },
      schema: {
        summary: 'Gives a Worker one more custom domain',
        tags,
        params: AccountParams,
        body: Attachment,
        response: { 200: Result(DomainBody) },
      },
    },
    async ({ params, body }) => {
      const key = { account: params.account, worker: parseWorkerName(body.service) };
      return ok(toDomainBody(await rules.add(key, 'domain', body.hostname)));
    },
  );
};

async function domainsOf(hostnames: Hostnames, account: AccountId): Promise<HostRuleRecord[]> {
  return (await hostnames.rules(account)).filter(({ kind }) => kind === 'domain');
}

async function requireDomain(
  hostnames: Hostnames,
  { account, domain }: { account: AccountId; domain: string },
): Promise<HostRuleRecord> {
  const found = (await domainsOf(hostnames, account)).find(({ id }) => id === domain);
  if (found === undefined) throw new PlatformError('notFound', 'There is no such custom domain');
  return found;
}

function toDomainBody({ id, host, worker }: HostRuleRecord): z.output<typeof DomainBody> {
  return { id, hostname: host, service: worker ?? '', environment: 'production' };
}
