/** The platform's events as lines for people. `serve --json` prints the same events as they are. */
import { z } from 'zod';
import type { PlatformEvent } from '../supervisor/platform.ts';
import { paint, printLine, toSafe } from './terminal.ts';

/** Cells write the records, and a cell is not trusted: what does not fit is left out rather than believed. */
const recordSchema = z.object({
  event: z.string().catch(''),
  outcome: z.string().catch('unknown'),
  worker: z.string().catch('?'),
  account: z.string().catch('?'),
  method: z.string().catch(''),
  url: z.string().catch(''),
  status: z.number().catch(0),
  cpuUs: z.number().catch(0),
  logs: z.array(z.object({ level: z.string(), message: z.string() })).catch([]),
  exceptions: z.array(z.object({ name: z.string(), message: z.string(), stack: z.string().catch('') })).catch([]),
});

export function printEvent(event: PlatformEvent): void {
  for (const line of toLines(event)) printLine(line);
}

export function toLines(event: PlatformEvent): string[] {
  const show = (key: string): string => toSafe(toText(event[key]));
  switch (event.event) {
    case 'ready':
      return [
        `${paint('green', 'ready')}  gateway ${show('gateway')}${event['tls'] === undefined ? '' : `  tls ${show('tls')}`}  control ${show('control')}  account ${show('account')}`,
      ];
    case 'token':
      return [
        `${paint('yellow', 'token')}  ${show('token')}`,
        `       The operator's token, shown this once; it is kept in ${show('path')}`,
      ];
    case 'secrets-key':
      return [
        `${paint('yellow', 'secrets')}  a master key was made: ${show('path')}`,
        '         Keep a copy elsewhere: without it no secret opens. Best keep the key itself elsewhere (--secrets-key)',
      ];
    case 'warning':
      return [`${paint('yellow', 'warning')}  ${show('message')}`];
    case 'alarm':
      return [`${paint('red', 'ALARM')}  cell ${show('id')}: ${show('message')}`];
    case 'sandbox':
      return [`cells are confined by: ${show('kind')}`];
    case 'invocation':
      return toRecordLines({ ...event, event: event['kind'] });
    case 'stopping':
      return [`stopping  (${show('signal')}): running requests may end; a second signal stops at once`];
    case 'stopped':
      return ['stopped'];
    default:
      return [toPlainLine(event)];
  }
}

/** An `InvocationRecord`: its outcome, then its logs and exceptions, indented. Never throws. */
export function toRecordLines(record: unknown): string[] {
  const parsed = recordSchema.safeParse(record);
  if (!parsed.success) return [];
  const { outcome, worker, account, method, url, status, cpuUs, event } = parsed.data;
  const what = method === '' ? event : `${method} ${url}`;
  const cost = `${status === 0 ? '' : `${status} `}${(cpuUs / 1000).toFixed(1)} ms CPU`;
  const logs = parsed.data.logs.map(({ level, message }) => `  ${paint('dim', toSafe(level))}  ${toSafe(message)}`);
  // V8's stacks begin with the name and message.
  const exceptions = parsed.data.exceptions.map(({ name, message, stack }) =>
    toSafe(`  ${stack.includes(message) ? stack : `${name}: ${message}\n${stack}`.trimEnd()}`),
  );
  return [
    `${paint(outcome === 'ok' ? 'green' : 'red', toSafe(outcome))}  ${toSafe(`${account}/${worker}  ${what}`)} ${cost}`,
    ...logs,
    ...exceptions,
  ];
}

function toPlainLine({ event, ...rest }: PlatformEvent): string {
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${toSafe(toText(value))}`);
  return [paint('dim', event), ...fields].join('  ');
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined');
}
