/** `isola trigger <worker>`: fires a Worker's scheduled event on a running server, and tells how it ended. */
import { z } from 'zod';
import { callControl, CONTROL_OPTIONS, printRows, toControlTarget } from './control-client.ts';
import { defineCommand, onlyArgument, UsageError } from './options.ts';
import { printError, printLine, toCell } from './terminal.ts';

const FIRST_ACCOUNT = 'main';

const EndSchema = z.object({
  outcome: z.string(),
  cpuMs: z.number(),
  wallMs: z.number(),
  logs: z.array(z.object({ level: z.string(), message: z.string() })),
  exceptions: z.array(z.object({ name: z.string(), message: z.string(), stack: z.string() })),
});

export const trigger = defineCommand({
  name: 'trigger',
  summary: "Fire a Worker's scheduled event now, and show how it ended",
  positionals: '<worker>',
  options: {
    account: { type: 'string', value: 'ID', default: FIRST_ACCOUNT, help: 'The account that the Worker belongs to' },
    cron: { type: 'string', value: 'EXPRESSION', default: '', help: 'What the handler sees as controller.cron' },
    time: { type: 'string', value: 'ISO', defaultText: 'now', help: 'What it sees as controller.scheduledTime' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola trigger cleaner --cron "0 9 * * MON-FRI"', does: 'As if it were due; exits with 1 unless it is ok' },
    { line: 'isola trigger cleaner --time 2026-01-01T00:00:00Z --json', does: 'Of another time, for a machine' },
  ],
  run: async ({ account, cron, time, json, ...where }, positionals) => {
    const worker = onlyArgument(trigger, positionals);
    const end = EndSchema.parse(
      await callControl(toControlTarget(where), {
        attempt: `Cannot trigger '${worker}'`,
        method: 'POST',
        path: `accounts/${encodeURIComponent(account)}/workers/scripts/${encodeURIComponent(worker)}/isola/scheduled`,
        body: { cron, ...(time !== undefined && { scheduledTime: toMs(time) }) },
      }),
    );
    if (json) printRows([end], { json, columns: {} });
    else printEnd(end);
    return end.outcome === 'ok' ? 0 : 1;
  },
});

/** What a Worker has logged is escaped: it goes to a terminal. */
function printEnd({ outcome, cpuMs, wallMs, logs, exceptions }: z.output<typeof EndSchema>): void {
  for (const { level, message } of logs) printLine(`(${toCell(level)}) ${toCell(message)}`);
  for (const { name, message, stack } of exceptions) {
    printError(`${toCell(name)}: ${toCell(message)}`);
    for (const line of stack.split('\n')) printError(toCell(line));
  }
  printLine(`${toCell(outcome)} (CPU ${cpuMs.toFixed(1)} ms, ${Math.round(wallMs)} ms in all)`);
}

function toMs(time: string): number {
  const ms = Date.parse(time);
  if (Number.isNaN(ms))
    throw new UsageError(`Cannot use --time ${time}: it must be a time such as 2026-01-01T00:00:00Z`);
  return ms;
}
