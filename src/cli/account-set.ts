/** `isola account set`: what the operator sets for one account. Each setting is an option and a field of the API. */
import { z } from 'zod';
import { callControl, CONTROL_OPTIONS, toControlTarget } from './control-client.ts';
import { defineCommand, onlyArgument } from './options.ts';
import { printLine, toCell } from './terminal.ts';

const HOST_LIST = /^[^\s,]+(,[^\s,]+)*$/;
const QUANTITY = /^(?:\d{1,15}|any)$/;
const HOSTS_ALLOWED = 'hosts with commas between them, such as api.example.com,*.example.org';

const SETTING_OPTIONS = {
  'egress-allow': {
    type: 'string',
    value: 'HOSTS',
    pattern: HOST_LIST,
    allowed: `${HOSTS_ALLOWED}, or 'any'`,
    help: 'Hosts that its Workers may fetch, and no others; any takes the list back',
  },
  'egress-deny': {
    type: 'string',
    value: 'HOSTS',
    pattern: HOST_LIST,
    allowed: `${HOSTS_ALLOWED}, or 'none'`,
    help: 'Hosts that they may not fetch, whatever is allowed; none takes the list back',
  },
  cordon: {
    type: 'string',
    value: 'LEVEL',
    pattern: /^[a-z][a-z0-9-]{0,31}$/,
    allowed: 'a lower-case name of up to 32 letters, digits and dashes',
    help: 'Level of trust: accounts of different levels never share a cell; default takes it back',
  },
  isolation: {
    type: 'string',
    value: 'KIND',
    pattern: /^(process|shared)$/,
    allowed: "'process' or 'shared'",
    help: 'process: cells of its own; shared takes it back',
  },
  'daily-requests': {
    type: 'string',
    value: 'N',
    pattern: QUANTITY,
    allowed: "a number, or 'any'",
    help: 'Requests that its Workers may serve a day (UTC); any takes the limit back',
  },
  'monthly-cpu-ms': {
    type: 'string',
    value: 'N',
    pattern: QUANTITY,
    allowed: "a number, or 'any'",
    help: 'CPU time that they may use a month; any takes the limit back',
  },
  'over-quota': {
    type: 'string',
    value: 'HOW',
    pattern: /^(?:open|closed)$/,
    allowed: 'open, closed',
    help: 'Beyond that: open serves and warns, closed answers 429 (usual: open)',
  },
  'quota-webhook': {
    type: 'string',
    value: 'URL',
    pattern: /^(?:https?:\/\/\S+|none)$/,
    allowed: "an http or https address, or 'none'",
    help: 'Where warnings at 80 and 100 percent are sent, signed',
  },
  plan: {
    type: 'string',
    value: 'NAME',
    pattern: /^[a-z0-9][a-z0-9-]{0,62}$/,
    allowed: "the name of a price plan, or 'usual'",
    help: 'Price plan of the account; usual takes it back',
  },
} as const;

const SettingsSchema = z.object({
  egressAllow: z.array(z.string()).nullable(),
  egressDeny: z.array(z.string()).nullable(),
  cordon: z.string().nullable(),
  isolation: z.literal('process').nullable(),
  dailyRequests: z.number().nullable(),
  monthlyCpuMs: z.number().nullable(),
  overQuota: z.string().nullable(),
  quotaWebhook: z.string().nullable(),
  quotaWebhookKey: z.string().nullable(),
  plan: z.string().nullable(),
});

export const accountSet = defineCommand({
  name: 'account set',
  summary: 'Change the settings of an account; without options, show them',
  positionals: '<id>',
  options: { ...SETTING_OPTIONS, ...CONTROL_OPTIONS },
  examples: [
    { line: 'isola account set acme --egress-deny "*.example.com"', does: 'For what runs already, too' },
    { line: 'isola account set acme --egress-allow api.stripe.com', does: 'Its Workers fetch from there alone' },
    { line: 'isola account set acme --egress-allow any', does: 'As before' },
    { line: 'isola account set acme --cordon trusted', does: 'It meets none but accounts of that level' },
    { line: 'isola account set acme --isolation process', does: 'It meets nobody' },
    { line: 'isola account set acme --daily-requests 100000 --over-quota closed', does: 'Then its Workers answer 429' },
    { line: 'isola account set acme --plan pro', does: 'For the month under way, too' },
  ],
  run: async ({ json, url, data, ...given }, positionals) => {
    const id = onlyArgument(accountSet, positionals);
    const changes = toChanges(given);
    const answer = await callControl(toControlTarget({ url, data }), {
      attempt: `Cannot set up account '${toCell(id)}'`,
      path: `accounts/${encodeURIComponent(id)}/isola/settings`,
      ...(Object.keys(changes).length === 0 ? { method: 'GET' } : { method: 'PATCH', body: changes }),
    });
    const settings = SettingsSchema.parse(answer);
    if (json) {
      printLine(JSON.stringify({ id, ...settings }));
      return 0;
    }
    const shown: Readonly<Record<string, string | null>> = {
      'egress-allow': toText(settings.egressAllow, 'any'),
      'egress-deny': toText(settings.egressDeny, 'none'),
      cordon: settings.cordon ?? 'default',
      isolation: settings.isolation ?? 'shared',
      'daily-requests': String(settings.dailyRequests ?? 'any'),
      'monthly-cpu-ms': String(settings.monthlyCpuMs ?? 'any'),
      'over-quota': settings.overQuota ?? 'open',
      'quota-webhook': settings.quotaWebhook ?? 'none',
      'signed with': settings.quotaWebhookKey,
      plan: settings.plan ?? 'usual',
    };
    printLine(`Account ${toCell(id)}`);
    for (const [name, value] of Object.entries(shown)) {
      if (value !== null) printLine(`  ${name.padEnd(14)}  ${toCell(value)}`);
    }
    return 0;
  },
});

function toChanges(given: Readonly<Record<keyof typeof SETTING_OPTIONS, string | undefined>>): object {
  const { 'egress-allow': allow, 'egress-deny': deny, 'daily-requests': requests, 'monthly-cpu-ms': cpuMs } = given;
  const { 'over-quota': over, 'quota-webhook': webhook, cordon, isolation, plan } = given;
  return {
    ...(allow !== undefined && { egressAllow: toHosts(allow, 'any') }),
    ...(deny !== undefined && { egressDeny: toHosts(deny, 'none') }),
    ...(cordon !== undefined && { cordon: cordon === 'default' ? null : cordon }),
    ...(isolation !== undefined && { isolation: isolation === 'shared' ? null : isolation }),
    ...(requests !== undefined && { dailyRequests: requests === 'any' ? null : Number(requests) }),
    ...(cpuMs !== undefined && { monthlyCpuMs: cpuMs === 'any' ? null : Number(cpuMs) }),
    ...(plan !== undefined && { plan: plan === 'usual' ? null : plan }),
    ...(over !== undefined && { overQuota: over }),
    ...(webhook !== undefined && { quotaWebhook: webhook === 'none' ? null : webhook }),
  };
}

function toHosts(text: string, usual: string): readonly string[] | null {
  return text === usual ? null : text.split(',');
}

function toText(hosts: readonly string[] | null, usual: string): string {
  return hosts === null ? usual : toCell(hosts.join(','));
}
