/**
 * Zones. isola has none of its own: wrangler is told that there is one of any name, so that it goes on to set the routes,
 * where it hears whether it may. What is real is which names an account has proven to own: `…/isola/zones`.
 */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { isWithin, parseHostname } from '../hostnames/index.ts';
import type { AccountId } from '../ids.ts';
import type { Zone } from '../store/index.ts';
import type { Identity } from './auth.ts';
import type { ControlContext, Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams, parseAccountId, parseWorkerName } from './names.ts';
import type { Ownership } from './ownership.ts';
import { MAX_PATTERN_CHARS, RouteBody, toRouteBody } from './routes.ts';

const MAX_NAME_CHARS = 2_048; // longer than any, so that one that is too long is refused as such

const tags = ['Routing'];
const ZoneBody = z.looseObject({ id: z.string(), name: z.string(), status: z.string() });
const ZoneParams = z.object({ zone: z.string().max(512) });
const RouteParams = ZoneParams.extend({ route: z.string().max(64) });
const NewRoute = z.looseObject({ pattern: z.string().max(MAX_PATTERN_CHARS), script: z.string().max(100).nullish() });
const OwnZoneBody = z.object({
  name: z.string(),
  state: z.enum(['proven', 'asked']),
  proof: z.enum(['dns', 'operator']).nullable(),
  proven_on: z.iso.datetime().nullable(),
  challenge: z.object({ name: z.string(), type: z.literal('TXT'), value: z.string() }),
});

export const registerZones: Resource = (app, context) => {
  registerWranglerZones(app, context);
  registerOwnZones(app, context);
};

const registerWranglerZones: Resource = (app, context) => {
  const { hostnames, rules } = context;

  app.get(
    '/zones',
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'A zone of this name, for wrangler',
        tags,
        querystring: z.looseObject({
          name: z.string().max(MAX_NAME_CHARS).optional(),
          'account.id': z.string().max(100).optional(),
        }),
        response: { 200: Result(z.array(ZoneBody)) },
      },
    },
    async ({ query, identity }) => {
      const account = query['account.id'] ?? (identity.account === '*' ? undefined : identity.account);
      const name = nameOrNothing(query.name);
      if (account === undefined || name === undefined) return ok([]);
      return ok([toZoneBody(await requireAccount(context, identity, account), name)]);
    },
  );

  app.get(
    '/zones/:zone',
    {
      config: { scope: 'workers:read' },
      schema: { summary: 'The same by its id', tags, params: ZoneParams, response: { 200: Result(ZoneBody) } },
    },
    async ({ params, identity }) => {
      const { account, name } = await parseZone(context, identity, params.zone);
      return ok(toZoneBody(account, name));
    },
  );

  const path = '/zones/:zone/workers/routes';
  app.get(
    path,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Routes and custom domains of an account in a zone',
        tags,
        params: ZoneParams,
        response: { 200: Result(z.array(RouteBody)) },
      },
    },
    async ({ params, identity }) => {
      const { account, name } = await parseZone(context, identity, params.zone);
      const all = await hostnames.rules(account);
      return ok(all.filter(({ host }) => isWithin(host, name) || isWithin(name, host)).map(toRouteBody));
    },
  );

  app.post(
    path,
    {
      config: { scope: 'workers:write', audit: 'route.create' },
      schema: {
        summary: 'Adds a route; without a Worker, what it fits is for none',
        tags,
        params: ZoneParams,
        body: NewRoute,
        response: { 200: Result(RouteBody) },
      },
    },
    async ({ params, body, identity }) => {
      const { account } = await parseZone(context, identity, params.zone);
      const { script } = body;
      const worker = script === undefined || script === null || script === '' ? null : parseWorkerName(script);
      return ok(toRouteBody(await rules.add({ account, worker }, 'route', body.pattern)));
    },
  );

  app.delete(
    `${path}/:route`,
    {
      config: { scope: 'workers:write', audit: 'route.delete' },
      schema: {
        summary: 'Takes a route away',
        tags,
        params: RouteParams,
        response: { 200: Result(z.object({ id: z.string() })) },
      },
    },
    async ({ params, identity }) => {
      const { account } = await parseZone(context, identity, params.zone);
      await rules.remove(account, params.route);
      return ok({ id: params.route });
    },
  );
};

const registerOwnZones: Resource = (app, { hostnames, rules }) => {
  const { ownership } = rules;
  const path = '/accounts/:account/isola/zones';
  const NamedZone = AccountParams.extend({ zone: z.string().max(512) });

  app.get(
    path,
    {
      config: { scope: 'workers:read' },
      schema: {
        summary: 'Which names an account owns or has asked for, with the record that proves each',
        tags,
        params: AccountParams,
        response: { 200: Result(z.array(OwnZoneBody)) },
      },
    },
    async ({ params }) => {
      const zones = await hostnames.zones(params.account);
      return ok(await Promise.all(zones.map((zone) => toOwnZoneBody(zone, ownership))));
    },
  );

  app.post(
    path,
    {
      config: { scope: 'workers:write', audit: 'zone.verify' },
      schema: {
        summary: 'Looks now whether the record of a name, or of one above it, is there',
        tags,
        params: AccountParams,
        body: z.object({ name: z.string().max(MAX_NAME_CHARS) }),
        response: { 200: Result(OwnZoneBody) },
      },
    },
    async ({ params: { account }, body }) => {
      const name = parseHostname(body.name);
      ownership.requireOutside(name);
      const known = await hostnames.zoneOf(name);
      if (known?.account === account) return ok(await toOwnZoneBody(known, ownership));
      let zone: Zone;
      try {
        zone = await ownership.prove(account, name);
      } catch (error) {
        if (!(error instanceof PlatformError) || error.kind !== 'hostnameUnproven') throw error;
        await hostnames.claimZone(account, name);
        zone = { account, name };
      }
      return ok(await toOwnZoneBody(zone, ownership));
    },
  );

  app.put(
    `${path}/:zone`,
    {
      config: { scope: 'admin', audit: 'zone.grant' },
      schema: {
        summary: 'Gives an account a name without a proof',
        tags,
        params: NamedZone,
        response: { 200: Result(OwnZoneBody) },
      },
    },
    async ({ params }) => {
      const zone = await rules.grantZone(params.account, parseHostname(params.zone));
      return ok(await toOwnZoneBody(zone, ownership));
    },
  );

  app.delete(
    `${path}/:zone`,
    {
      config: { scope: 'workers:write', audit: 'zone.delete' },
      schema: {
        summary: 'Gives a name up; with force=true, together with the routes in it',
        tags,
        params: NamedZone,
        querystring: z.object({ force: z.enum(['true', 'false']).default('false') }),
        response: { 200: Result(z.null()) },
      },
    },
    async ({ params, query }) => {
      await rules.deleteZone(params.account, parseHostname(params.zone), { force: query.force === 'true' });
      return ok(null);
    },
  );
};

/** wrangler tries a name's parents one after another: what is no name gets no zone, and no error. */
function nameOrNothing(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : parseHostname(text);
  } catch {
    return undefined;
  }
}

async function requireAccount({ registry }: ControlContext, identity: Identity, text: string): Promise<AccountId> {
  const account = parseAccountId(text);
  const isAllowed = identity.account === '*' || identity.account === account;
  if (isAllowed && (await registry.account(account)) !== undefined) return account;
  throw new PlatformError('notFound', `There is no account '${account}'`);
}

/** Ids hold what they stand for: there is nothing that would keep them. */
async function parseZone(
  context: ControlContext,
  identity: Identity,
  id: string,
): Promise<{ account: AccountId; name: string }> {
  const [account = '', name = ''] = Buffer.from(id, 'base64url').toString('latin1').split('/');
  try {
    const zone = { account: await requireAccount(context, identity, account), name: parseHostname(name) };
    if (toZoneId(zone.account, zone.name) === id) return zone;
  } catch {
    // Malformed, or somebody else's: there is no telling which.
  }
  throw new PlatformError('notFound', 'There is no such zone');
}

function toZoneId(account: AccountId, name: string): string {
  return Buffer.from(`${account}/${name}`, 'latin1').toString('base64url');
}

function toZoneBody(account: AccountId, name: string): z.output<typeof ZoneBody> {
  return { id: toZoneId(account, name), name, status: 'active', account: { id: account, name: account } };
}

async function toOwnZoneBody(zone: Zone, ownership: Ownership): Promise<z.output<typeof OwnZoneBody>> {
  const challenge = await ownership.challenge(zone.account, zone.name);
  return {
    name: zone.name,
    state: zone.proof === undefined ? 'asked' : 'proven',
    proof: zone.proof ?? null,
    proven_on: zone.provenOn ?? null,
    challenge: { ...challenge, type: 'TXT' },
  };
}
