/** `isola logs [worker]`: what invocations logged and threw on a running server. */
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { toAsciiJson } from '../ascii-json.ts';
import { askControl, CONTROL_OPTIONS, type ControlTarget, printRows, toControlTarget } from './control-client.ts';
import { defineCommand, UsageError } from './options.ts';
import { paint, printLine, toCell, toSafe } from './terminal.ts';

const EntrySchema = z.object({
  id: z.string(),
  ray: z.string(),
  worker: z.string(),
  event: z.string(),
  outcome: z.string(),
  at: z.string(),
  status: z.number(),
  method: z.string().optional(),
  url: z.string().optional(),
  cron: z.string().optional(),
  cpu_us: z.number(),
  wall_ms: z.number(),
  logs: z.array(z.object({ level: z.string(), at: z.string(), message: z.string() })),
  exceptions: z.array(z.object({ name: z.string(), message: z.string(), stack: z.string().optional() })),
  truncated: z.boolean(),
  dropped: z.number(),
});
type Entry = z.output<typeof EntrySchema>;

const FIRST_ACCOUNT = 'main';
const FOLLOW_MS = 1_000;
const MAX_LIMIT = 1_000;
const UNITS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };

export const logs = defineCommand({
  name: 'logs',
  summary: 'Show what Workers logged and threw, the newest last',
  positionals: '[worker]',
  options: {
    account: { type: 'string', value: 'ID', default: FIRST_ACCOUNT, help: 'The account that the Worker belongs to' },
    outcome: { type: 'string', value: 'OUTCOME', help: 'e.g. exception or exceededCpu' },
    text: { type: 'string', value: 'TEXT', help: 'Words, and "phrases in quotes", that must all occur' },
    since: { type: 'string', value: 'TIME', help: 'Ended since then: a time, or how long ago, such as 15m, 2h or 7d' },
    limit: { type: 'integer', value: 'N', default: 50, min: 1, max: MAX_LIMIT, help: 'Most invocations to show' },
    follow: { type: 'boolean', help: 'Go on and show what comes, until Ctrl-C' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola logs shop --outcome exception --since 1h', does: 'What went wrong within the last hour' },
    { line: 'isola logs --text \'"order 4711"\' --json', does: 'Of all Workers, for a program' },
  ],
  run: async ({ account, outcome, text, since, limit, follow, json, ...where }, positionals) => {
    if (positionals.length > 1) throw new UsageError('isola logs takes one Worker: isola logs [worker]');
    const filter = new URLSearchParams();
    const [worker] = positionals;
    if (worker !== undefined) filter.set('worker', worker);
    if (outcome !== undefined) filter.set('outcome', outcome);
    if (text !== undefined) filter.set('text', text);
    const search = { target: toControlTarget(where), account, filter };
    const begin: Record<string, string> = since === undefined ? {} : { since: toTime(since) };
    const found = await list(search, begin, limit);
    const print = json && follow ? (entry: Entry) => printLine(toAsciiJson(entry)) : printEntry;
    if (json && !follow) printRows(found, { json, columns: {} });
    else for (const entry of found.toReversed()) print(entry);
    if (follow) await followOn(search, { begin, last: found[0]?.id ?? '0', print });
    return 0;
  },
});

interface Search {
  readonly target: ControlTarget;
  readonly account: string;
  readonly filter: URLSearchParams;
}

async function followOn(
  search: Search,
  { begin, last, print }: { begin: Record<string, string>; last: string; print: (entry: Entry) => void },
): Promise<never> {
  for (let after = last; ;) {
    // oxlint-disable-next-line no-await-in-loop -- what comes, as it comes
    await setTimeout(FOLLOW_MS);
    // oxlint-disable-next-line no-await-in-loop
    const more = await list(search, { ...begin, after }, Number.POSITIVE_INFINITY);
    for (const entry of more.toReversed()) print(entry);
    after = more[0]?.id ?? after;
  }
}

/** Newest first, by as many calls as it takes. */
async function list(
  { target, account, filter }: Search,
  more: Record<string, string>,
  limit: number,
): Promise<Entry[]> {
  const found: Entry[] = [];
  let cursor = '';
  do {
    const query = new URLSearchParams({ ...Object.fromEntries(filter), ...more });
    query.set('limit', String(Math.min(MAX_LIMIT, limit - found.length)));
    if (cursor !== '') query.set('cursor', cursor);
    const path = `accounts/${encodeURIComponent(account)}/isola/logs?${query.toString()}`;
    // oxlint-disable-next-line no-await-in-loop -- each page says where the next one begins
    const page = await askControl(target, { attempt: 'Cannot read logs', method: 'GET', path });
    found.push(...z.array(EntrySchema).parse(page.result));
    ({ cursor } = page);
  } while (cursor !== '' && found.length < limit);
  return found;
}

/** What a Worker has logged is escaped: it goes to a terminal. */
function printEntry(entry: Entry): void {
  const {
    at,
    worker,
    outcome,
    method,
    url = '',
    event,
    cron = '',
    status,
    cpu_us: cpuUs,
    wall_ms: wallMs,
    ray,
  } = entry;
  const what = method === undefined ? `${event} ${cron}` : `${method} ${url} ${status}`;
  const cost = `${(cpuUs / 1e3).toFixed(1)} ms CPU, ${Math.round(wallMs)} ms`;
  const head = paint(outcome === 'ok' ? 'green' : 'red', toCell(outcome));
  if (entry.dropped > 0) printLine(paint('yellow', `${entry.dropped} invocations left out: the account logs too much`));
  printLine(`${toCell(at)}  ${head}  ${toCell(worker)}  ${toCell(what)}  ${paint('dim', `${cost}  ${toCell(ray)}`)}`);
  for (const { level, message } of entry.logs) printLine(`  ${paint('dim', toCell(level))}  ${toSafe(message)}`);
  for (const { name, message, stack = '' } of entry.exceptions) {
    printLine(toSafe(`  ${stack.includes(message) ? stack : `${name}: ${message}\n${stack}`.trimEnd()}`));
  }
  if (entry.truncated) printLine(paint('dim', '  … and more, beyond what is kept of one invocation'));
}

function toTime(since: string): string {
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(since) ?? [];
  const ms = count === undefined ? Date.parse(since) : Date.now() - Number(count) * UNITS[unit]!;
  if (!Number.isNaN(ms) && ms >= 0) return new Date(ms).toISOString();
  throw new UsageError(`Cannot use --since ${since}: must be a time such as 2026-01-01T00:00:00Z, or 15m, 2h, 7d`);
}
