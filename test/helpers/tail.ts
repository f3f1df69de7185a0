/** `wrangler tail` of a Worker as a process, and what it printed so far. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { TestPlatform } from './platform.ts';
import type { WranglerProcess } from './wrangler.ts';

/** An event as `--format json` prints it; tests look into it. */
export interface TailEvent {
  readonly outcome: string;
  readonly scriptName: string;
  readonly scriptVersion: { readonly id: string };
  readonly eventTimestamp: number;
  readonly event: {
    readonly request?: { url: string; method: string; headers: Record<string, string>; cf: object };
    readonly response?: { status: number };
    readonly cron?: string;
    readonly scheduledTime?: number;
    readonly missed?: boolean;
    readonly type?: string;
  };
  readonly logs: readonly { readonly level: string; readonly message: readonly unknown[] }[];
  readonly exceptions: readonly { readonly name: string; readonly message: string; readonly stack: string }[];
  readonly cpuTime: number;
  readonly wallTime: number;
}

const OBJECT = /^\{\n[\s\S]*?^\}$/gm; // wrangler indents what is inside

export class Tail implements AsyncDisposable {
  readonly #process: WranglerProcess;
  readonly #platform: TestPlatform;
  readonly #worker: string;

  /** Of a Worker by its name, in any folder. */
  constructor(platform: TestPlatform, folder: string, args: readonly [worker: string, ...options: string[]]) {
    this.#platform = platform;
    this.#worker = args[0];
    this.#process = platform.spawnWrangler(folder, ['tail', ...args]);
  }

  get output(): string {
    return this.#process.output();
  }

  get exited(): Promise<number | null> {
    return this.#process.exited;
  }

  get events(): TailEvent[] {
    return [...this.output.matchAll(OBJECT)].map(([text]) => JSON.parse(text) as TailEvent);
  }

  /** The first answer of `find` that is one. Rejects when wrangler ends first. */
  async until<T>(find: (tail: this) => T | undefined): Promise<T> {
    const { child, exited } = this.#process;
    const ended = exited.then((code) => assert.fail(`wrangler tail ended with ${code}\n${this.output}`));
    ended.catch(() => {});
    for (;;) {
      const found = find(this);
      if (found !== undefined) return found;
      await Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data'), ended]);
    }
  }

  /** Resolves when so many tails of the Worker are connected: from then on nothing is missed. */
  async connected(count = 1): Promise<void> {
    const path = `/accounts/${this.#platform.account}/workers/scripts/${this.#worker}/tails`;
    for (;;) {
      const response = await this.#platform.control(path);
      const { result } = (await response.json()) as { result: readonly { readonly connected: boolean }[] };
      if (result.filter(({ connected }) => connected).length >= count) return;
      assert.equal(this.#process.child.exitCode, null, this.output);
    }
  }

  /** As Ctrl-C does. */
  async stop(): Promise<number | null> {
    this.#process.child.kill('SIGINT');
    return await this.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(); // in order: the platform forgets it at once
  }
}
