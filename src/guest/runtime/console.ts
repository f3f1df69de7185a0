/** `console`: each call becomes one formatted line for the host, as part of the running invocation. */
import { format, formatTable, inspect } from '../inspect/index.ts';
import { toDOMString } from '../webidl.ts';
import { hostLog, now } from './host.ts';
import { arrayUnshift, SafeMap, stringIndexOf, stringSlice } from './intrinsics.ts';
import { currentInvocation } from './invocations.ts';

type Level = 'debug' | 'error' | 'info' | 'log' | 'warn';

const INDENT = '  ';
const MAX_INDENT = 40; // 20 groups: deeper ones no longer move the text
const MAX_LABELS = 1_000; // counters and stopwatches, each kind
const DEFAULT_LABEL = 'default';

const counts = new SafeMap<string, number>();
const stopwatches = new SafeMap<string, number>();
let startupIndent = '';

/** What `console` is made of. Own properties, as the Console standard has it. */
export const console = Object.create(Object.create(Object.prototype) as object) as Record<string, unknown>;

const methods = {
  assert(condition: unknown = false, ...args: unknown[]): void {
    if (condition) return;
    const [message] = args;
    if (typeof message === 'string') args[0] = `Assertion failed: ${message}`;
    else arrayUnshift(args, 'Assertion failed');
    write('error', format(args));
  },
  clear(): void {},
  count(label: unknown = DEFAULT_LABEL): void {
    const key = toLabel(label);
    const count = (counts.get(key) ?? 0) + 1;
    remember(counts, key, count);
    write('info', `${key}: ${count}`);
  },
  countReset(label: unknown = DEFAULT_LABEL): void {
    const key = toLabel(label);
    if (!counts.delete(key)) write('warn', `Count for '${key}' does not exist`);
  },
  debug(...args: unknown[]): void {
    write('debug', format(args));
  },
  dir(...args: unknown[]): void {
    write('log', inspect(args[0], toDepth(args[1])));
  },
  dirxml(...args: unknown[]): void {
    write('log', format(args));
  },
  error(...args: unknown[]): void {
    write('error', format(args));
  },
  group(...args: unknown[]): void {
    openGroup(args);
  },
  groupCollapsed(...args: unknown[]): void {
    openGroup(args);
  },
  groupEnd(): void {
    const indent = readIndent();
    setIndent(stringSlice(indent, INDENT.length));
  },
  info(...args: unknown[]): void {
    write('info', format(args));
  },
  log(...args: unknown[]): void {
    write('log', format(args));
  },
  profile(): void {},
  profileEnd(): void {},
  table(...args: unknown[]): void {
    write('log', formatTable(args[0], args[1]) ?? format([args[0]]));
  },
  time(label: unknown = DEFAULT_LABEL): void {
    const key = toLabel(label);
    if (stopwatches.has(key)) write('warn', `Timer '${key}' already exists`);
    else remember(stopwatches, key, now());
  },
  timeEnd(label: unknown = DEFAULT_LABEL): void {
    const key = toLabel(label);
    lap(key, []);
    stopwatches.delete(key);
  },
  timeLog(label: unknown = DEFAULT_LABEL, ...args: unknown[]): void {
    lap(toLabel(label), args);
  },
  timeStamp(): void {},
  trace(...args: unknown[]): void {
    const { stack } = new Error();
    const text = typeof stack === 'string' ? withoutOwnFrames(stack) : '';
    write('log', `Trace${args.length === 0 ? '' : `: ${format(args)}`}${text}`);
  },
  warn(...args: unknown[]): void {
    write('warn', format(args));
  },
};

for (const [name, value] of Object.entries(methods)) {
  Object.defineProperty(console, name, { value, writable: true, enumerable: true, configurable: true });
}
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });

function openGroup(args: unknown[]): void {
  if (args.length > 0) write('log', format(args));
  const indent = readIndent();
  if (indent.length < MAX_INDENT) setIndent(indent + INDENT);
}

function lap(key: string, args: unknown[]): void {
  const from = stopwatches.get(key);
  if (from === undefined) write('warn', `Timer '${key}' does not exist`);
  else write('info', `${key}: ${now() - from} ms${args.length === 0 ? '' : ` ${format(args)}`}`);
}

function write(level: Level, text: string): void {
  const indent = readIndent();
  const line = indent === '' ? text : indented(text, indent);
  hostLog(currentInvocation()?.id ?? 0, level, line);
}

function indented(text: string, indent: string): string {
  let result = indent;
  let from = 0;
  for (let at = stringIndexOf(text, '\n'); at !== -1; at = stringIndexOf(text, '\n', from)) {
    result += stringSlice(text, from, at + 1) + indent;
    from = at + 1;
  }
  return result + stringSlice(text, from);
}

function readIndent(): string {
  const invocation = currentInvocation();
  return invocation === undefined ? startupIndent : invocation.indent;
}

function setIndent(indent: string): void {
  const invocation = currentInvocation();
  if (invocation === undefined) startupIndent = indent;
  else invocation.indent = indent;
}

function remember(map: SafeMap<string, number>, key: string, value: number): void {
  if (map.size < MAX_LABELS || map.has(key)) map.set(key, value);
}

/** Of the options that Node's has, the one that changes what is shown. */
function toDepth(options: unknown): number | undefined {
  const depth = (options as { depth?: unknown } | null | undefined)?.depth;
  if (depth === null) return Infinity;
  return typeof depth === 'number' ? depth : undefined;
}

function toLabel(label: unknown): string {
  return toDOMString(label);
}

/** Drops the first line (`Error`) and the frame of `trace` itself. */
function withoutOwnFrames(stack: string): string {
  const first = stringIndexOf(stack, '\n');
  const second = first === -1 ? -1 : stringIndexOf(stack, '\n', first + 1);
  return second === -1 ? '' : stringSlice(stack, second);
}
