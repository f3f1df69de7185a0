/** `isola account …`: the operator's accounts on a running server. */
import { z } from 'zod';
import { accountSet } from './account-set.ts';
import { confirm } from './confirm.ts';
import { callControl, CONTROL_OPTIONS, printRows, toControlTarget } from './control-client.ts';
import { type Command, type CommandGroup, defineCommand, onlyArgument } from './options.ts';
import { printLine, toCell } from './terminal.ts';

const AccountSchema = z.object({ id: z.string(), name: z.string(), status: z.string(), created_on: z.string() });
const PAGE = 100;

const create = defineCommand({
  name: 'account create',
  summary: 'Make an account',
  positionals: '<id>',
  options: {
    name: { type: 'string', value: 'TEXT', defaultText: 'its id', help: 'What people call it' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola account create acme --name "Acme Ltd"', does: 'Its Workers answer at <worker>.acme.<base domain>' },
  ],
  run: async ({ name, json, ...where }, positionals) => {
    const id = onlyArgument(create, positionals);
    const attempt = `Cannot make account '${toCell(id)}'`;
    const body = name === undefined ? {} : { name };
    const path = `accounts/${encodeURIComponent(id)}/isola/account`;
    const made = await callControl(toControlTarget(where), { attempt, method: 'POST', path, body });
    if (json) printRows([AccountSchema.parse(made)], { json, columns: {} });
    else printLine(`Account ${toCell(id)} is there. A token for it: isola token create --account ${toCell(id)} …`);
    return 0;
  },
});

const list = defineCommand({
  name: 'account list',
  summary: 'Show all accounts',
  positionals: '',
  options: CONTROL_OPTIONS,
  examples: [{ line: 'isola account list', does: 'Id, name, status and since when' }],
  run: async ({ json, ...where }) => {
    const target = toControlTarget(where);
    const accounts: z.output<typeof AccountSchema>[] = [];
    for (let page = 1; ; page += 1) {
      const path = `accounts?page=${page}&per_page=${PAGE}`;
      // oxlint-disable-next-line no-await-in-loop -- only the answer tells whether there is another page
      const found = await callControl(target, { attempt: 'Cannot list accounts', method: 'GET', path });
      accounts.push(...z.array(AccountSchema).parse(found));
      if ((found as unknown[]).length < PAGE) break;
    }
    printRows(accounts, {
      json,
      columns: {
        ID: ({ id }) => id,
        NAME: ({ name }) => name,
        STATUS: ({ status }) => status,
        CREATED: ({ created_on }) => created_on,
      },
    });
    return 0;
  },
});

const suspend = defineStatusCommand({
  verb: 'suspend',
  status: 'suspended',
  summary: 'Stop an account: its Workers answer 403, its tokens are refused',
  does: 'Within a second, everywhere; nothing is deleted',
  done: 'is suspended: its Workers answer 403',
});

const resume = defineStatusCommand({
  verb: 'resume',
  status: 'active',
  summary: 'Let a suspended account serve again',
  does: 'Its Workers and tokens work again',
  done: 'is active',
});

const remove = defineCommand({
  name: 'account delete',
  summary: 'Delete an account with all that is in it',
  positionals: '<id>',
  options: {
    force: { type: 'boolean', help: 'Also when it is not suspended' },
    yes: { type: 'boolean', short: 'y', help: 'Do not ask' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola account delete acme', does: 'Asks first; the account must have been suspended' },
    { line: 'isola account delete acme --force --yes', does: 'In a script, whatever its status' },
  ],
  run: async ({ force, yes, json, ...where }, positionals) => {
    const id = onlyArgument(remove, positionals);
    if (!yes && !(await confirm(`Delete account ${toCell(id)} with all its Workers, versions, tokens and data?`))) {
      return 1;
    }
    const path = `accounts/${encodeURIComponent(id)}/isola/account${force ? '?force=true' : ''}`;
    const attempt = `Cannot delete account '${toCell(id)}'`;
    await callControl(toControlTarget(where), { attempt, method: 'DELETE', path });
    printLine(json ? JSON.stringify({ id, deleted: true }) : `Account ${toCell(id)} is gone`);
    return 0;
  },
});

export const account: CommandGroup = {
  name: 'account',
  summary: 'Make, list, set up, suspend, resume and delete accounts',
  commands: [create, list, accountSet, suspend, resume, remove],
};

function defineStatusCommand(what: {
  verb: string;
  status: 'active' | 'suspended';
  summary: string;
  does: string;
  done: string;
}): Command<typeof CONTROL_OPTIONS> {
  const command = defineCommand({
    name: `account ${what.verb}`,
    summary: what.summary,
    positionals: '<id>',
    options: CONTROL_OPTIONS,
    examples: [{ line: `isola account ${what.verb} acme`, does: what.does }],
    run: async ({ json, ...where }, positionals) => {
      const id = onlyArgument(command, positionals);
      const path = `accounts/${encodeURIComponent(id)}/isola/status`;
      const attempt = `Cannot ${what.verb} account '${toCell(id)}'`;
      const body = { status: what.status };
      const answer = await callControl(toControlTarget(where), { attempt, method: 'PUT', path, body });
      if (json) printRows([AccountSchema.parse(answer)], { json, columns: {} });
      else printLine(`Account ${toCell(id)} ${what.done}`);
      return 0;
    },
  });
  return command;
}
