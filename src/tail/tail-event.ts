/** What goes over the wire: one object of JSON for each invocation, as Cloudflare's `trace-v1` has it. */
import { toAsciiJson } from '../ascii-json.ts';
import { redactUrl } from '../redact-url.ts';
import { redactHeaders } from './redact.ts';
import type { CheckedRecord } from '../checked-record.ts';

/** In pure ASCII, with control characters escaped. */
export function toTailEvent(record: CheckedRecord): string {
  const { worker, version, outcome, at, logs, exceptions, cpuUs, wallMs, truncated } = record;
  return toAsciiJson({
    outcome,
    scriptName: worker,
    scriptVersion: { id: version },
    entrypoint: 'default',
    eventTimestamp: at,
    event: record.event === 'scheduled' ? toScheduled(record) : toRequest(record),
    logs: logs.map(({ message, level, timestamp }) => ({ message: [message], level, timestamp })),
    exceptions: exceptions.map(({ name, message, stack, timestamp }) => ({
      name,
      message,
      stack: withoutTitle(stack, { name, message }),
      timestamp,
    })),
    diagnosticsChannelEvents: [],
    cpuTime: Math.round(cpuUs / 1e3),
    wallTime: Math.round(wallMs),
    truncated,
    executionModel: 'stateless',
  });
}

/** Says that events were left out, or that this is over. wrangler shows the message in red, or in yellow. */
export function toOverloadEvent(
  scriptName: string,
  { type, message, now }: { type: 'overload' | 'overload-stop'; message: string; now: number },
): string {
  return toAsciiJson({
    outcome: 'ok',
    scriptName,
    eventTimestamp: now,
    event: { type, message },
    logs: [],
    exceptions: [],
    diagnosticsChannelEvents: [],
  });
}

function toRequest({ url = '', method = '', status, tail }: CheckedRecord): object {
  return {
    request: { url: redactUrl(url), method, headers: redactHeaders(tail.headers), cf: {} },
    ...(status > 0 && { response: { status } }),
  };
}

function toScheduled({ cron = '', scheduledTime = 0, missed }: CheckedRecord): object {
  return { cron, scheduledTime, ...(missed === true && { missed }) };
}

/** V8 begins a stack with name and message, which have fields of their own here. */
function withoutTitle(stack: string, { name, message }: { name: string; message: string }): string {
  const title = message === '' ? name : `${name}: ${message}`;
  return stack.startsWith(title) ? stack.slice(title.length).replace(/^\n/, '') : stack;
}
