/** `isola token …`: access tokens of accounts and of the operator, on a running server. */
import { z } from 'zod';
import { confirm } from './confirm.ts';
import { callControl, CONTROL_OPTIONS, printRows, toControlTarget } from './control-client.ts';
import { type CommandGroup, defineCommand, onlyArgument } from './options.ts';
import { printError, printLine, toCell } from './terminal.ts';

const TokenSchema = z.object({
  id: z.string(),
  account: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  created_on: z.string(),
  expires_on: z.string().nullable(),
  last_used_on: z.string().nullable(),
});
const MadeSchema = TokenSchema.extend({ token: z.string() });
const DEFAULT_SCOPES = 'account:read,workers:write,kv:write,tail:read'; // all that wrangler needs
const DAY_MS = 86_400_000;
const MAX_DAYS = 3_650;
const PAGE = 100;

const accountOption = {
  type: 'string',
  value: 'ID',
  help: 'The account that it belongs to',
} as const;

const create = defineCommand({
  name: 'token create',
  summary: 'Make a token and print it, this once',
  positionals: '<name>',
  options: {
    account: { ...accountOption, defaultText: 'none: it is the operator’s, for all accounts' },
    scopes: {
      type: 'string',
      value: 'LIST',
      default: DEFAULT_SCOPES,
      help: 'Of account:read, workers:read, workers:write, kv:read, kv:write, tail:read, admin',
    },
    'expires-days': { type: 'integer', value: 'N', min: 1, max: MAX_DAYS, defaultText: 'never', help: 'When it ends' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola token create "ci of acme" --account acme', does: 'For wrangler: CLOUDFLARE_API_TOKEN' },
    { line: 'TOKEN=$(isola token create backup --scopes workers:read,kv:read --expires-days 7)', does: 'In a script' },
  ],
  run: async ({ account, scopes, json, 'expires-days': days, ...where }, positionals) => {
    const name = onlyArgument(create, positionals);
    const owner = account === undefined ? '' : `accounts/${encodeURIComponent(account)}/`;
    const body = {
      name,
      scopes: scopes.split(',').map((scope) => scope.trim()),
      ...(days !== undefined && { expires_on: new Date(Date.now() + days * DAY_MS).toISOString() }),
    };
    const made = MadeSchema.parse(
      await callControl(toControlTarget(where), {
        attempt: 'Cannot make the token',
        method: 'POST',
        path: `${owner}isola/tokens`,
        body,
      }),
    );
    if (json) {
      printRows([made], { json, columns: {} });
      return 0;
    }
    // Standard output has the token and nothing else, so that a script can take it.
    printError(
      `Token ${toCell(made.name)} (id ${toCell(made.id)}) of ${toOwner(made.account)}; it is not shown again:`,
    );
    printLine(toCell(made.token));
    return 0;
  },
});

const list = defineCommand({
  name: 'token list',
  summary: 'Show tokens: their names and scopes, never themselves',
  positionals: '',
  options: { account: { ...accountOption, defaultText: 'all' }, ...CONTROL_OPTIONS },
  examples: [{ line: 'isola token list --account acme', does: 'Those of one account' }],
  run: async ({ account, json, ...where }) => {
    const target = toControlTarget(where);
    const owner = account === undefined ? '' : `accounts/${encodeURIComponent(account)}/`;
    const tokens: z.output<typeof TokenSchema>[] = [];
    for (let page = 1; ; page += 1) {
      const path = `${owner}isola/tokens?page=${page}&per_page=${PAGE}`;
      // oxlint-disable-next-line no-await-in-loop -- only the answer tells whether there is another page
      const found = await callControl(target, { attempt: 'Cannot list tokens', method: 'GET', path });
      tokens.push(...z.array(TokenSchema).parse(found));
      if ((found as unknown[]).length < PAGE) break;
    }
    printRows(tokens, {
      json,
      columns: {
        ID: ({ id }) => id,
        ACCOUNT: (token) => toOwner(token.account),
        NAME: ({ name }) => name,
        SCOPES: ({ scopes }) => scopes.join(','),
        EXPIRES: ({ expires_on }) => expires_on ?? 'never',
        'LAST USED': ({ last_used_on }) => last_used_on ?? 'never',
      },
    });
    return 0;
  },
});

const revoke = defineCommand({
  name: 'token revoke',
  summary: 'End a token at once',
  positionals: '<id>',
  options: { yes: { type: 'boolean', short: 'y', help: 'Do not ask' }, ...CONTROL_OPTIONS },
  examples: [{ line: 'isola token revoke 5f0c… --yes', does: 'The id is what isola token list shows' }],
  run: async ({ yes, json, ...where }, positionals) => {
    const id = onlyArgument(revoke, positionals);
    if (!yes && !(await confirm(`Revoke token ${toCell(id)}?`))) return 1;
    const path = `isola/tokens/${encodeURIComponent(id)}`;
    await callControl(toControlTarget(where), { attempt: 'Cannot revoke the token', method: 'DELETE', path });
    printLine(json ? JSON.stringify({ id, revoked: true }) : `Token ${toCell(id)} is revoked`);
    return 0;
  },
});

export const token: CommandGroup = {
  name: 'token',
  summary: 'Make, list and revoke access tokens',
  commands: [create, list, revoke],
};

function toOwner(account: string): string {
  return account === '*' ? 'the operator' : toCell(account);
}
