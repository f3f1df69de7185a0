/** `isola usage`: what an account has used, as the server's ledger has it. */
import { z } from 'zod';
import { toAsciiJson } from '../ascii-json.ts';
import { callControl, CONTROL_OPTIONS, printRows, toControlTarget } from './control-client.ts';
import { defineCommand, UsageError } from './options.ts';
import { printLine } from './terminal.ts';
import { printComparison } from './usage-compare.ts';

const Totals = z.object({
  requests: z.number(),
  errors: z.number(),
  cpu_us: z.number(),
  start_cpu_us: z.number(),
  wall_us: z.number(),
  wall_ms_1: z.number(),
  wall_ms_100: z.number(),
  bytes_in: z.number(),
  bytes_out: z.number(),
  subrequests: z.number(),
  cold_starts: z.number(),
  service_calls: z.number(),
});
const UsageSchema = z.object({
  rows: z.array(z.looseObject({ time: z.string(), worker: z.string(), ...Totals.shape })),
  totals: z.looseObject(Totals.shape),
});
type Row = { readonly time: string; readonly worker: string } & z.output<typeof Totals>;

const STEPS = ['minute', 'hour', 'day', 'month'];
const SHOWN_CHARS = { minute: 16, hour: 13, day: 10, month: 7 } as const; // of an ISO time

export const usage = defineCommand({
  name: 'usage',
  summary: 'Show what an account has used',
  positionals: '',
  options: {
    account: { type: 'string', value: 'ID', default: 'main', help: 'Whose usage' },
    month: {
      type: 'string',
      value: 'YYYY-MM',
      pattern: /^\d{4}-(?:0[1-9]|1[0-2])$/,
      allowed: 'a month such as 2026-11',
      defaultText: 'this one',
      help: 'Usage of this month, in UTC',
    },
    by: {
      type: 'string',
      value: 'STEP',
      default: 'month',
      pattern: /^(?:minute|hour|day|month)$/,
      allowed: STEPS.join(', '),
      help: 'A row for each minute (of the last hour), hour, day or month',
    },
    worker: { type: 'string', value: 'NAME', defaultText: 'all', help: 'Usage of one Worker' },
    csv: { type: 'boolean', help: 'Print comma-separated values' },
    compare: { type: 'boolean', help: 'What the month costs, and would have cost under other plans, with the formula' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola usage --account acme --month 2026-11', does: 'What each Worker of an account used in a month' },
    { line: 'isola usage --compare --month 2026-11', does: 'Its cost, beside that by duration' },
    { line: 'isola usage --by day --csv > usage.csv', does: 'The same by day, for a spreadsheet' },
  ],
  run: async ({ account, month, by, worker, csv, compare, json, ...where }) => {
    if (csv && json) throw new UsageError('Cannot print both --csv and --json: choose one');
    if (compare) {
      if (csv || worker !== undefined) throw new UsageError('Cannot use --compare with --csv or --worker');
      await printComparison(toControlTarget(where), { account, month, json });
      return 0;
    }
    const query = new URLSearchParams({ by, ...toRange(by, month) });
    if (worker !== undefined) query.set('worker', worker);
    const found = await callControl(toControlTarget(where), {
      attempt: `Cannot read the usage of ${account}`,
      method: 'GET',
      path: `accounts/${encodeURIComponent(account)}/isola/usage?${query.toString()}`,
    });
    const { rows, totals } = UsageSchema.parse(found);
    if (json) printLine(toAsciiJson(found));
    else if (csv) printCsv(rows);
    else printTable([...rows, { time: 'total', worker: '', ...totals }], by as keyof typeof SHOWN_CHARS);
    return 0;
  },
});

/** The month, unless the last hour is asked for. */
function toRange(by: string, month: string | undefined): { since?: string; until?: string } {
  if (month === undefined && by === 'minute') return {};
  const [year, number] = (month ?? new Date().toISOString().slice(0, 7)).split('-').map(Number) as [number, number];
  const at = (index: number): string => new Date(Date.UTC(year, index)).toISOString();
  return { since: at(number - 1), until: at(number) };
}

function printCsv(rows: readonly Row[]): void {
  const fields = ['time', 'worker', ...Object.keys(Totals.shape)];
  printLine(fields.join(','));
  // Names of Workers and times hold neither commas nor quotes.
  for (const row of rows) printLine(fields.map((field) => String(row[field as keyof Row])).join(','));
}

function printTable(rows: readonly Row[], by: keyof typeof SHOWN_CHARS): void {
  printRows(rows, {
    json: false,
    columns: {
      TIME: ({ time }) => time.slice(0, SHOWN_CHARS[by]).replace('T', ' '),
      WORKER: ({ worker }) => worker,
      REQUESTS: ({ requests }) => String(requests),
      ERRORS: ({ errors }) => String(errors),
      'CPU MS': ({ cpu_us }) => toMs(cpu_us),
      'START MS': ({ start_cpu_us }) => toMs(start_cpu_us),
      'WALL MS': ({ wall_us }) => toMs(wall_us),
      IN: ({ bytes_in }) => String(bytes_in),
      OUT: ({ bytes_out }) => String(bytes_out),
      SUBREQUESTS: ({ subrequests }) => String(subrequests),
      COLD: ({ cold_starts }) => String(cold_starts),
    },
  });
}

function toMs(us: number): string {
  return (us / 1e3).toFixed(1);
}
