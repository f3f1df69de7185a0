/** Programs of the machine, and trying them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

const PROBE_TIMEOUT_MS = 10_000;
const MAX_REASON = 300;

/** The path of a program: what `ISOLA_BWRAP` says for bwrap, else by PATH and where Debian and others have it. */
export function findProgram(name: string): string | undefined {
  const told = process.env[`ISOLA_${name.toUpperCase()}`];
  if (told !== undefined) return isExecutable(told) ? told : undefined;
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/bin'].filter((folder) =>
    folder.startsWith('/'),
  );
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** How to start a process. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** What it reads from further file descriptors, behind those that it inherits: made when its PID is known. */
  readonly feeds: readonly ((pid: number) => Buffer)[];
  /** One more, on which it tells the PID of the process that it starts, as bubblewrap's --json-status-fd does. */
  readonly hasStatus: boolean;
}

/** Whether it ends with exit code 0; else why not. Its feeds begin at file descriptor 3. */
export function tryLaunch({ command, args, env, uid, gid, feeds, hasStatus }: Launch): Promise<string | undefined> {
  return new Promise((resolve) => {
    const extra = [...feeds.map(() => 'pipe' as const), ...(hasStatus ? (['pipe'] as const) : [])];
    let child: ChildProcess;
    try {
      child = spawn(command, args, {
        env: { ...env },
        stdio: ['ignore', 'ignore', 'pipe', ...extra],
        timeout: PROBE_TIMEOUT_MS,
        killSignal: 'SIGKILL',
        ...(uid !== undefined && { uid }),
        ...(gid !== undefined && { gid }),
      });
    } catch (error) {
      // Some failures are not told by an event: a uid that is not there in a user namespace.
      resolve((error as Error).message);
      return;
    }
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-MAX_REASON)));
    child.on('error', (error) => resolve(error.message));
    feed(child.stdio.slice(3), child.pid, feeds);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(undefined);
      else resolve(errors.trim().split('\n').at(-1) || `ended with ${signal ?? `code ${code}`}`);
    });
  });
}

/** Writes to each pipe what is to be read from it, and ends it. A process that has gone reads nothing. */
export function feed(pipes: readonly unknown[], pid: number | undefined, feeds: Launch['feeds']): void {
  for (const [index, make] of feeds.entries()) {
    const pipe = pipes[index] as Duplex;
    pipe.on('error', () => {});
    if (pid !== undefined) pipe.end(make(pid));
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
