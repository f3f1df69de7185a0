/** `bin/isola.mjs` as a process: its output by lines, its end, and no orphan when the test fails. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT = resolve(import.meta.dirname, '..', '..');

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface IsolaProcess {
  /** What it wrote so far, by lines. */
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
  /**
   * The first line of either stream that fits and was not given before; lines before it are passed over.
   * Throws with all output when the process ends first.
   */
  line(pattern: RegExp): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves once it has ended and its output has been read. */
  readonly exited: Promise<Exit>;
}

export function spawnIsola(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd?: string,
): IsolaProcess {
  const { NODE_TEST_CONTEXT: _context, FORCE_COLOR: _color, ISOLA_ADMIN_TOKEN: _token, ...inherited } = process.env;
  const child = spawn(process.execPath, [join(ROOT, 'bin', 'isola.mjs'), ...args], {
    detached: true, // a group of its own, which can be ended as a whole
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd !== undefined && { cwd }),
    env: { ...inherited, ISOLA_NO_INSTALL: '1', NO_COLOR: '1', ...env },
  });
  // A test that crashes must not leave a platform behind.
  const killGroup = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  process.on('exit', killGroup);

  const unread: string[] = [];
  const waiting: { readonly pattern: RegExp; readonly resolve: (line: string) => void }[] = [];
  const match = (): void => {
    for (const wait of waiting.slice()) {
      const index = unread.findIndex((line) => wait.pattern.test(line));
      if (index === -1) continue;
      waiting.splice(waiting.indexOf(wait), 1);
      const [found = ''] = unread.splice(0, index + 1).slice(-1);
      wait.resolve(found);
    }
  };
  const collect = (input: NodeJS.ReadableStream): string[] => {
    const lines: string[] = [];
    createInterface({ input }).on('line', (line) => {
      lines.push(line);
      unread.push(line);
      match();
    });
    return lines;
  };
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const exited = once(child, 'close').then((result) => {
    process.off('exit', killGroup);
    const [code, signal] = result as [number | null, NodeJS.Signals | null];
    return { code, signal };
  });
  return {
    stdout,
    stderr,
    exited,
    kill: (signal) => void child.kill(signal),
    line: (pattern) =>
      Promise.race([
        new Promise<string>((resolve) => {
          waiting.push({ pattern, resolve });
          match();
        }),
        exited.then(({ code, signal }): never => {
          const output = [...stdout, ...stderr].slice(-40).join('\n');
          throw new Error(
            `isola ${args.join(' ')} ended (${signal ?? code}) before it wrote ${String(pattern)}\n${output}`,
          );
        }),
      ]),
  };
}
