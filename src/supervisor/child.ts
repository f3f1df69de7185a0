/** Starting our own processes: gateway and cells. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';

const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];
const MAX_LINE = 2_000;

export interface ChildOptions {
  /** Relative to src/. */
  readonly entry: string;
  /** Of Node and V8. */
  readonly flags: readonly string[];
  /** Connected sockets to hand down, from file descriptor 4 on. */
  readonly inherit: readonly Socket[];
  /** A line the child wrote to stdout or stderr: usually Node's last words. */
  readonly onLine: (line: string) => void;
}

export interface Child {
  readonly process: ChildProcess;
  /** The parent's end of file descriptor 3. */
  readonly socket: Socket;
}

export function startChild({ entry, flags, inherit, onLine }: ChildOptions): Child {
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'pipe', ...inherit];
  const path = fileURLToPath(new URL(`../${entry}`, import.meta.url));
  const child = spawn(process.execPath, [...NODE_FLAGS, ...flags, path], {
    stdio,
    // Nothing of the operator's environment: it may hold secrets, and the child needs none of it.
    env: childEnvironment(),
  });
  child.on('error', (error) => onLine(`cannot start ${entry}: ${error.message}`));
  for (const output of [child.stdout, child.stderr]) forwardLines(output, onLine);
  const socket = child.stdio[3];
  if (!(socket instanceof Socket)) throw new Error(`Cannot start ${entry}: it has no channel`);
  return { process: child, socket };
}

function childEnvironment(): NodeJS.ProcessEnv {
  const kept = ['NODE_COMPILE_CACHE', 'ISOLA_NO_SNAPSHOT', 'TZ'];
  return Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

function forwardLines(output: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  let rest = '';
  output?.setEncoding('utf8');
  output?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = (lines.pop() ?? '').slice(-MAX_LINE);
    for (const line of lines) if (line.trim() !== '') onLine(line.slice(0, MAX_LINE));
  });
}
