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

/** null takes a setting back. */
const Changes = z.strictObject({ egressAllow: Hosts.nullable().optional(), egressDeny: Hosts.nullable().optional() });
const Settings = z.object({
  egressAllow: z.array(z.string()).nullable(),
  egressDeny: z.array(z.string()).nullable(),
});

const tags = ['Accounts'];

export const registerAccountSettings: Resource = (app, { registry }) => {
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

  // Whoever acts on a setting asks for it each time: there is nobody to tell.
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
      return ok(toBody(settings));
    },
  );
};

function toPatch(changes: z.output<typeof Changes>): AccountSettingsPatch {
  const named = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named.map(([name, value]) => [name, value ?? undefined])) as AccountSettingsPatch;
}

function toBody({ egressAllow, egressDeny }: AccountSettings): z.input<typeof Settings> {
  return { egressAllow: toList(egressAllow), egressDeny: toList(egressDeny) };
}

function toList(hosts: readonly string[] | undefined): string[] | null {
  return hosts === undefined ? null : [...hosts];
}
