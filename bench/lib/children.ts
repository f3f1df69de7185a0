/** Starting processes, and being sure that none outlives the bench. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { processTree } from './proc.ts';
import { within } from './time.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;

export interface StartOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Standard error goes here, so that a failure can be told. */
  readonly errorFile: string;
}

export interface Child {
  readonly pid: number;
  /** Resolves to the first line of standard output that `find` makes something of. Everything after is read and dropped. */
  firstLine<T>(find: (line: string) => T | undefined): Promise<T>;
  /** SIGTERM, and SIGKILL for it and its descendants if it takes too long. */
  stop(): Promise<void>;
}

const alive = new Set<ChildProcess>();
process.on('exit', killAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    killAll();
    process.exit(1);
  });
}

/** Kills every child and what they started. */
export function killAll(): void {
  for (const child of alive) kill(child);
}

export function startChild({ command, args, env, cwd, errorFile }: StartOptions): Child {
  const errors = openSync(errorFile, 'a');
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', errors],
    env: { ...process.env, ...env },
    detached: true, // a process group of its own: one kill reaches what it starts
    ...(cwd === undefined ? {} : { cwd }),
  });
  closeSync(errors);
  const { pid, stdout } = child;
  if (pid === undefined || stdout === null) throw new Error(`Cannot start ${command}`);
  alive.add(child);
  const gone = once(child, 'exit').then(() => void alive.delete(child));
  return {
    pid,
    firstLine: (find) => {
      const { promise, resolve, reject } = Promise.withResolvers<NonNullable<ReturnType<typeof find>>>();
      const onExit = (): void => {
        const said = readFileSync(errorFile, 'utf8').slice(-2_000);
        reject(new Error(`${command} ${args.join(' ')} ended before it was ready:\n${said}`));
      };
      child.once('exit', onExit);
      const lines = createInterface(stdout);
      lines.on('line', (line) => {
        const value = find(line);
        if (value === undefined || value === null) return;
        child.off('exit', onExit);
        lines.close();
        stdout.on('data', () => {}).resume(); // a full pipe would stop it
        resolve(value);
      });
      return within(START_TIMEOUT_MS, `starting ${command}`, promise);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await within(STOP_TIMEOUT_MS, `stopping ${command}`, gone).catch(() => {
        process.stderr.write(`  ${command} did not stop within ${STOP_TIMEOUT_MS / 1000} s of SIGTERM: killed\n`);
      });
      kill(child);
      await gone;
    },
  };
}

function kill(child: ChildProcess): void {
  if (child.pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) {
    // By number as well as by group: a cell may sit in a session of its own.
    for (const pid of processTree(child.pid)) killQuietly(pid);
  }
  killQuietly(-child.pid);
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone
  }
}
