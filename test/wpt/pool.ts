/** Child processes that run pages. One that hangs or dies is a result of the page it had, and is replaced. */
import { type ChildProcess, fork } from 'node:child_process';
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

const START_MS = 20_000; // for a child to start, on top of what its first page may take
const GRACE_MS = 5_000; // after a page's own time is over

/** One place of the pool: runs pages one after the other. */
export class Host implements Disposable {
  readonly #kind: HostKind;
  #child: ChildProcess | undefined;

  constructor(kind: HostKind) {
    this.#kind = kind;
  }

  async run(page: Page): Promise<HostAnswer> {
    const isNew = this.#child === undefined;
    this.#child ??= fork(this.#kind.path, {
      execArgv: [...this.#kind.execArgv],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    const answer = await ask(this.#child, page, page.timeoutMs + GRACE_MS + (isNew ? START_MS : 0));
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
