/** Starting our own processes: gateway and cells. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { feed, type Launch } from '../confine/index.ts';

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
  /** How to start it confined; without, it is an ordinary process. */
  readonly confine?: (flags: readonly string[], inherited: number) => Launch;
}

export interface Child {
  readonly process: ChildProcess;
  /** The parent's end of file descriptor 3. */
  readonly socket: Socket;
  /** Of the process itself, which may have been started by `process`; undefined until that has told it. */
  readonly pid: () => number | undefined;
}

export function startChild({ entry, flags, inherit, onLine, confine }: ChildOptions): Child {
  const allFlags = [...NODE_FLAGS, ...flags];
  const { command, args, env, uid, gid, feeds, hasStatus } =
    confine?.(allFlags, 1 + inherit.length) ?? toPlainLaunch(entry, allFlags);
  const extra = Array<'pipe'>(feeds.length + (hasStatus ? 1 : 0)).fill('pipe');
  const stdio: StdioOptions = ['ignore', 'pipe', 'pipe', 'pipe', ...inherit, ...extra];
  const child = spawn(command, args, {
    stdio,
    env: { ...env },
    // What stands between us and a confined process does not ignore the Ctrl-C of a terminal, as our own processes do.
    detached: confine !== undefined,
    ...(uid !== undefined && { uid }),
    ...(gid !== undefined && { gid }),
  });
  child.on('error', (error) => onLine(`cannot start ${entry}: ${error.message}`));
  for (const output of [child.stdout, child.stderr]) forwardLines(output, onLine);
  const socket = child.stdio[3];
  if (!(socket instanceof Socket)) throw new Error(`Cannot start ${entry}: it has no channel`);
  const pipes: readonly unknown[] = child.stdio.slice(4 + inherit.length);
  feed(pipes, child.pid, feeds);
  const innerPid = hasStatus ? readPid(pipes.at(-1) as Readable) : () => child.pid;
  return { process: child, socket, pid: innerPid };
}

/** Nothing of the operator's environment: it may hold secrets, and the child needs none of it. */
function toPlainLaunch(entry: string, flags: readonly string[]): Launch {
  const path = fileURLToPath(new URL(`../${entry}`, import.meta.url));
  return { command: process.execPath, args: [...flags, path], env: childEnvironment(), feeds: [], hasStatus: false };
}

function childEnvironment(): Record<string, string> {
  const kept = ['NODE_COMPILE_CACHE', 'ISOLA_NO_SNAPSHOT', 'TZ'];
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** The status comes in several pieces: lines of JSON, of which the first has the PID. */
function readPid(status: Readable): () => number | undefined {
  let text = '';
  status.on('error', () => {});
  status.setEncoding('utf8').on('data', (piece: string) => (text = (text + piece).slice(0, MAX_LINE)));
  return () => {
    const found = /"child-pid": *(\d+)/.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
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
