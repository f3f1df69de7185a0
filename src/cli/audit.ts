/** `isola audit`: who changed what on a running server. */
import { z } from 'zod';
import { callControl, CONTROL_OPTIONS, printRows, toControlTarget } from './control-client.ts';
import { defineCommand } from './options.ts';

const EntrySchema = z.object({
  id: z.number(),
  at: z.string(),
  account: z.string(),
  actor: z.string(),
  token_id: z.string(),
  action: z.string(),
  target: z.string(),
  ip: z.string(),
  status: z.union([z.number(), z.string()]),
});
const HOUR_MS = 3_600_000;

export const audit = defineCommand({
  name: 'audit',
  summary: 'Show who changed what, newest first',
  positionals: '',
  options: {
    account: { type: 'string', value: 'ID', defaultText: 'all', help: 'Changes of one account' },
    actor: { type: 'string', value: 'NAME', help: 'Changes by the token of this name' },
    action: { type: 'string', value: 'ACTION', help: 'e.g. token.create, or token for all about tokens' },
    'since-hours': { type: 'integer', value: 'N', min: 1, max: 100_000, help: 'Changes of the last hours' },
    limit: { type: 'integer', value: 'N', default: 50, min: 1, max: 1_000, help: 'Most entries to show' },
    before: { type: 'integer', value: 'ID', min: 1, max: Number.MAX_SAFE_INTEGER, help: 'Older ones than this entry' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola audit --account acme --since-hours 24', does: 'What happened to one account since yesterday' },
    { line: 'isola audit --action token --json', does: 'Everything about tokens, for a program' },
  ],
  run: async ({ account, actor, action, limit, before, json, 'since-hours': hours, ...where }) => {
    const query = new URLSearchParams({ limit: String(limit) });
    if (actor !== undefined) query.set('actor', actor);
    if (action !== undefined) query.set('action', action);
    if (before !== undefined) query.set('before', String(before));
    if (hours !== undefined) query.set('since', new Date(Date.now() - hours * HOUR_MS).toISOString());
    const owner = account === undefined ? '' : `accounts/${encodeURIComponent(account)}/`;
    const path = `${owner}isola/audit?${query.toString()}`;
    const found = await callControl(toControlTarget(where), {
      attempt: 'Cannot read the audit log',
      method: 'GET',
      path,
    });
    printRows(z.array(EntrySchema).parse(found), {
      json,
      columns: {
        ID: ({ id }) => String(id),
        WHEN: ({ at }) => at,
        WHO: ({ actor: who, token_id }) => (who === token_id ? who : `${who} (${token_id.slice(0, 8)})`),
        FROM: ({ ip }) => ip,
        ACCOUNT: (entry) => entry.account,
        ACTION: (entry) => entry.action,
        TARGET: ({ target }) => target,
        STATUS: ({ status }) => String(status),
      },
    });
    return 0;
  },
});
