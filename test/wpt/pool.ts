/** Child processes that run pages. One that hangs or dies is a result of the page it had, and is replaced. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HostAnswer } from './hosts/host.ts';
import type { Page } from './page.ts';

export interface HostKind {
  readonly path: string;
  /** Whether a process is good for one page only. */
  readonly once: boolean;
  readonly execArgv: readonly string[];
}

export const ISOLATE: HostKind = {
  path: fileURLToPath(new URL('hosts/isolate.ts', import.meta.url)),
  once: false,
  execArgv: ['--no-node-snapshot', '--no-turboshaft-loop-unrolling', '--disable-warning=ExperimentalWarning'],
};

export const NODE: HostKind = {
  path: fileURLToPath(new URL('hosts/node.ts', import.meta.url)),
  once: true,
  execArgv: ['--no-warnings'],
};

const GRACE_MS = 5_000; // after a page's own time is over

/** One place of the pool: runs pages one after the other. */
export class Host implements Disposable {
  readonly #kind: HostKind;
  #child: ChildProcess | undefined;

  constructor(kind: HostKind) {
    this.#kind = kind;
  }

  /** Rejects only when no process can be started. */
  async run(page: Page): Promise<HostAnswer> {
    this.#child ??= await start(this.#kind);
    const answer = await ask(this.#child, page, page.timeoutMs + GRACE_MS);
    if (this.#kind.once || 'crash' in answer) this.#stop();
    return answer;
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #stop(): void {
    this.#child?.kill('SIGKILL');
    this.#child = undefined;
  }
}

async function start(kind: HostKind): Promise<ChildProcess> {
  const child = fork(kind.path, {
    execArgv: [...kind.execArgv],
    stdio: ['ignore', 'ignore', kind.once ? 'ignore' : 'inherit', 'ipc'], // Node tells what pages leave behind
  });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${kind.path} does not start`)));
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => {});
  return child;
}

function ask(child: ChildProcess, page: Page, limitMs: number): Promise<HostAnswer> {
  return new Promise((resolve) => {
    const settle = (answer: HostAnswer): void => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(answer);
    };
    const onMessage = (message: unknown): void => settle(message as HostAnswer);
    const onExit = (code: number | null, signal: string | null): void => {
      settle({ crash: `the process ended: ${signal ?? code}` });
    };
    const timer = setTimeout(() => settle({ crash: 'it hung' }), limitMs);
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.send(page, () => {}); // what goes wrong shows as its end
  });
}
