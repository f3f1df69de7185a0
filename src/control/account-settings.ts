/** What the operator sets for an account beside its limits: one record, of which a PATCH names some. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import { parseHostPattern } from '../hostnames/index.ts';
import type { AccountId } from '../ids.ts';
import { MAX_EGRESS_HOSTS } from '../limits.ts';
import type { AccountSettings, AccountSettingsPatch } from '../store/index.ts';
import type { PlanBook } from '../usage/plans/index.ts';
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
const MAX_WEBHOOK_CHARS = 2_000;
const Quantity = z.int().min(0).max(1e15);

/** null takes a setting back. */
const Changes = z.strictObject({
  egressAllow: Hosts.nullable().optional(),
  egressDeny: Hosts.nullable().optional(),
  plan: z.string().max(100).nullable().optional(),
  cordon: Cordon.nullable().optional(),
  isolation: Isolation.nullable().optional(),
  dailyRequests: Quantity.nullable().optional(),
  monthlyCpuMs: Quantity.nullable().optional(),
  overQuota: z.enum(['open', 'closed']).nullable().optional(),
  quotaWebhook: z
    .url({ protocol: /^https?$/ })
    .max(MAX_WEBHOOK_CHARS)
    .nullable()
    .optional(),
});
const Settings = z.object({
  egressAllow: z.array(z.string()).nullable(),
  egressDeny: z.array(z.string()).nullable(),
  plan: z.string().nullable(),
  cordon: z.string().nullable(),
  isolation: Isolation.nullable(),
  dailyRequests: z.int().nullable(),
  monthlyCpuMs: z.int().nullable(),
  overQuota: z.enum(['open', 'closed']).nullable(),
  quotaWebhook: z.string().nullable(),
  /** What warnings are signed with; there is one when there is a webhook. */
  quotaWebhookKey: z.string().nullable(),
});

const tags = ['Accounts'];

export const registerAccountSettings: Resource = (app, { registry, plans, platform, quotas, webhooks }) => {
  const toAnswer = (account: AccountId, settings: AccountSettings): z.input<typeof Settings> => ({
    ...toBody(settings),
    quotaWebhookKey: settings.quotaWebhook === undefined ? null : webhooks.keyOf(account),
  });

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
      return ok(toAnswer(params.account, account.settings));
    },
  );

  // Whoever acts on a setting asks for it each time; only where an account runs and what it may use have to be told.
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
      if (typeof body.plan === 'string') checkPlan(plans, params.account, body.plan);
      const { settings } = await registry.setAccountSettings(params.account, toPatch(body));
      if (body.cordon !== undefined || body.isolation !== undefined)
        await platform.placeAccount(params.account, settings);
      await quotas.set(params.account, settings);
      return ok(toAnswer(params.account, settings));
    },
  );
};

function checkPlan(plans: PlanBook, account: string, plan: string): void {
  try {
    plans.of(account, plan);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PlatformError('badRequest', `Cannot give '${account}' the plan '${plan}': ${error.message}`, {
      cause: error,
    });
  }
}

function toPatch(changes: z.output<typeof Changes>): AccountSettingsPatch {
  const named = Object.entries(changes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(named.map(([name, value]) => [name, value ?? undefined])) as AccountSettingsPatch;
}

function toBody(settings: AccountSettings): Omit<z.input<typeof Settings>, 'quotaWebhookKey'> {
  const { egressAllow, egressDeny, plan, cordon, isolation, dailyRequests, monthlyCpuMs, overQuota, quotaWebhook } =
    settings;
  return {
    egressAllow: toList(egressAllow),
    egressDeny: toList(egressDeny),
    plan: plan ?? null,
    cordon: cordon ?? null,
    isolation: isolation ?? null,
    dailyRequests: dailyRequests ?? null,
    monthlyCpuMs: monthlyCpuMs ?? null,
    overQuota: overQuota ?? null,
    quotaWebhook: quotaWebhook ?? null,
  };
}

function toList(hosts: readonly string[] | undefined): string[] | null {
  return hosts === undefined ? null : [...hosts];
}
