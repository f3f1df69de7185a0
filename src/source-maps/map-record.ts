/** The texts of an invocation record that hold stacks. */
import type { ExceptionInfo, InvocationRecord, LogLine } from '../model.ts';
import { mayHaveFrames } from './map-stack.ts';

/** Maps several texts of one version; gives them back in the same order. */
export type MapTexts = (texts: readonly string[]) => Promise<readonly string[]>;

/**
 * The record with its stacks mapped: those of exceptions, and those that were logged. Undefined when there are none,
 * which costs a look at the record. Its fields may be anything: a cell wrote them, and a cell is not trusted.
 */
export function mapRecord(record: InvocationRecord, mapTexts: MapTexts): Promise<InvocationRecord> | undefined {
  const stacks = record.exceptions.flatMap((exception) => toTail(exception) ?? []);
  const messages = record.logs.flatMap((line) => toLogged(line) ?? []);
  if (stacks.length + messages.length === 0) return undefined;
  return mapTexts([...stacks, ...messages]).then((mapped) => {
    const texts = mapped.values();
    const next = (): string => texts.next().value ?? '';
    const exceptions = record.exceptions.map((exception) => {
      const tail = toTail(exception);
      if (tail === undefined) return exception;
      return { ...exception, stack: exception.stack.slice(0, exception.stack.length - tail.length) + next() };
    });
    const logs = record.logs.map((line) => (toLogged(line) === undefined ? line : { ...line, message: next() }));
    return { ...record, exceptions, logs };
  });
}

/** A stack after its message: what looks like a frame in a message is the message's. */
function toTail(exception: Partial<ExceptionInfo> | null): string | undefined {
  const { stack, message } = exception ?? {};
  if (typeof stack !== 'string') return undefined;
  const at = typeof message === 'string' ? stack.indexOf(message) : -1;
  const tail = at < 0 ? stack : stack.slice(at + (message?.length ?? 0));
  return mayHaveFrames(tail) ? tail : undefined;
}

function toLogged(line: Partial<LogLine> | null): string | undefined {
  const message = line?.message;
  return typeof message === 'string' && mayHaveFrames(message) ? message : undefined;
}
