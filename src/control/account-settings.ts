/** What the operator sets for an account beside its limits: one record, of which a PATCH names some. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { parseHostPattern } from '../hostnames/index.ts';
import { MAX_EGRESS_HOSTS } from '../limits.ts';
import type { AccountSettings, AccountSettingsPatch } from '../store/index.ts';
import type { Resource } from './context.ts';
import { ok, Result } from './envelope.ts';
import { AccountParams } from './names.ts';

const Hosts = z
  .array(
    z.string().transform((text, context) => {
      const pattern = parseHostPattern(text);
      if (pattern !== undefined) return pattern;
      context.addIssue({
        code: 'custom',
        message: 'must be host names, IP addresses, or *.<host name> for all below one',
      });
      return z.NEVER;
    }),
  )
  .max(MAX_EGRESS_HOSTS);

const Cordon = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a lower-case name of up to 32 letters, digits and dashes');
const Isolation = z.literal('process');

/** null takes a setting back. */
const Changes = z.strictObject({
  egressAllow: Hosts.nullable().optional(),
  egressDeny: Hosts.nullable().optional(),
  cordon: Cordon.nullable().optional(),
  isolation: Isolation.nullable().optional(),
});
const Settings = z.object({
  egressAllow: z.array(z.string()).nullable(),
  egressDeny: z.array(z.string()).nullable(),
  cordon: z.string().nullable(),
  isolation: Isolation.nullable(),
});

const tags = ['Accounts'];

export const registerAccountSettings: Resource = (app, { registry, platform }) => {
  app.get(
    '/accounts/:account/isola/settings',
    {
      config: { scope: 'admin' },
      schema: {
        summary: 'What is set for an account; null for the usual',
        tags,
        params: AccountParams,
        response: { 200: Result(Settings) },
      },
    },
    async ({ params }) => {
      const account = await registry.account(params.account);
      if (account === undefined) throw new PlatformError('notFound', `There is no account '${params.account}'`);
      return ok(toBody(account.settings));
    },
  );

  // Whoever acts on a setting asks for it each time; only where an account runs has to be told.
  app.patch(
    '/accounts/:account/isola/settings',
    {
      config: { scope: 'admin', audit: 'account.settings' },
      schema: {
        summary: 'Changes the settings that are named; null takes one back',
        tags,
        params: AccountParams,
        body: Changes,
        response: { 200: Result(Settings) },
      },
    },
    async ({ params, body }) => {
      const { settings } = await registry.setAccountSettings(params.account, toPatch(body));
      if (body.cordon !== undefined || body.isolation !== undefined)
        await platform.placeAccount(params.account, settings);
      return ok(toBody(settings));
    },
  );
};

function toPatch(changes: z.output<typeof Changes>): AccountSettingsPatch {
  const named = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named.map(([name, value]) => [name, value ?? undefined])) as AccountSettingsPatch;
}

function toBody({ egressAllow, egressDeny, cordon, isolation }: AccountSettings): z.input<typeof Settings> {
  return {
    egressAllow: toList(egressAllow),
    egressDeny: toList(egressDeny),
    cordon: cordon ?? null,
    isolation: isolation ?? null,
  };
}

function toList(hosts: readonly string[] | undefined): string[] | null {
  return hosts === undefined ? null : [...hosts];
}
