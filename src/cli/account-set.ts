/** `isola account set`: what the operator sets for one account. Each setting is an option and a field of the API. */
import { z } from 'zod';
import { callControl, CONTROL_OPTIONS, toControlTarget } from './control-client.ts';
import { defineCommand, onlyArgument } from './options.ts';
import { printLine, toCell } from './terminal.ts';

const HOST_LIST = /^[^\s,]+(,[^\s,]+)*$/;
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
} as const;

const SettingsSchema = z.object({
  egressAllow: z.array(z.string()).nullable(),
  egressDeny: z.array(z.string()).nullable(),
  cordon: z.string().nullable(),
  isolation: z.literal('process').nullable(),
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
  ],
  run: async ({ 'egress-allow': allow, 'egress-deny': deny, cordon, isolation, json, ...where }, positionals) => {
    const id = onlyArgument(accountSet, positionals);
    const changes = {
      ...(allow !== undefined && { egressAllow: toHosts(allow, 'any') }),
      ...(deny !== undefined && { egressDeny: toHosts(deny, 'none') }),
      ...(cordon !== undefined && { cordon: cordon === 'default' ? null : cordon }),
      ...(isolation !== undefined && { isolation: isolation === 'shared' ? null : isolation }),
    };
    const answer = await callControl(toControlTarget(where), {
      attempt: `Cannot set up account '${toCell(id)}'`,
      path: `accounts/${encodeURIComponent(id)}/isola/settings`,
      ...(Object.keys(changes).length === 0 ? { method: 'GET' } : { method: 'PATCH', body: changes }),
    });
    const settings = SettingsSchema.parse(answer);
    if (json) {
      printLine(JSON.stringify({ id, ...settings }));
      return 0;
    }
    printLine(`Account ${toCell(id)}`);
    printLine(`  egress-allow  ${toText(settings.egressAllow, 'any')}`);
    printLine(`  egress-deny   ${toText(settings.egressDeny, 'none')}`);
    printLine(`  cordon        ${toCell(settings.cordon ?? 'default')}`);
    printLine(`  isolation     ${toCell(settings.isolation ?? 'shared')}`);
    return 0;
  },
});

function toHosts(text: string, usual: string): readonly string[] | null {
  return text === usual ? null : text.split(',');
}

function toText(hosts: readonly string[] | null, usual: string): string {
  return hosts === null ? usual : toCell(hosts.join(','));
}
