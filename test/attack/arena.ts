/** A running platform with canaries, in which one attack after the other is set off and watched. */
import type { ExceptionInfo, InvocationRecord } from '../../src/model.ts';
import { DEFAULT_LIMITS, STARTUP_CPU_MS } from '../../src/limits.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { type Attack, WARM_PATH } from './attack.ts';
import { Canary } from './canary.ts';
import { ProcessWatch } from './process-watch.ts';
import { strike } from './strike.ts';
import { type Names, toAttackForm } from './upload.ts';
import { type AttackResult, judge, type Strike } from './verdict.ts';

const PATIENCE_MS = 10_000; // with an answer, with coming to rest, with the canaries: generous, for busy machines
const CALLS_TO_BE_INLINE = 3; // after so many short entries a Worker runs on its cell's own thread
const MAX_EXCEPTION_CHARS = 200;
const BASELINE_MS = 1_000;

export interface ArenaOptions {
  readonly cells: number;
  /** Workers strike before they have answered anything: on the lane. */
  readonly cold: boolean;
}

export class Arena implements AsyncDisposable {
  readonly #options: ArenaOptions;
  readonly #platform: TestPlatform;
  readonly #canary: Canary;
  readonly #watch: ProcessWatch;
  #count = 0;

  private constructor(options: ArenaOptions, platform: TestPlatform, canary: Canary) {
    this.#options = options;
    this.#platform = platform;
    this.#canary = canary;
    const { pid } = JSON.parse(platform.output[0] ?? '{}') as { pid: number };
    this.#watch = new ProcessWatch(pid);
  }

  static async start(options: ArenaOptions): Promise<Arena> {
    const platform = await startTestPlatform(['--cells', String(options.cells), '--api-rate', '0']);
    return new Arena(options, platform, await Canary.start(platform, options.cells));
  }

  /** What the canaries wait when nobody attacks: what the machine itself does to them. */
  async baseline(): Promise<number> {
    const from = performance.now();
    await new Promise((resolve) => setTimeout(resolve, BASELINE_MS));
    return this.#canary.report(from, performance.now(), []).longestMs;
  }

  /** Whether the platform is as it was: else no further attack can be judged in it. */
  async isSound(): Promise<boolean> {
    return (await this.#harm()) === undefined;
  }

  /**
   * Once; and once more when it has cost a cell. Each attack is an account's of its own: one that has cost several cells runs
   * apart from others whatever it does, and would show nothing any more.
   */
  async run(attack: Attack): Promise<AttackResult> {
    const count = ++this.#count;
    const account = `mallory-${count}`;
    await this.#call('PUT', account, 'isola/account', { name: account });
    const needsKv = JSON.stringify(attack.bindings).includes('$KV');
    const { id: kv } = needsKv
      ? ((await this.#call('POST', account, 'storage/kv/namespaces', { title: 'loot' })) as { id: string })
      : { id: '' };
    const names = { account, self: `attack-${count}`, kv };
    const strikes = [await this.#strike(attack, names)];
    const [first] = strikes;
    if (first !== undefined && first.exits > 0 && first.harm === undefined)
      strikes.push(await this.#strike(attack, names));
    await this.#platform.control(`/accounts/${account}/isola/account?force=true`, { method: 'DELETE' });
    this.#canary.forget();
    return judge(attack, strikes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#canary[Symbol.dispose]();
    this.#watch[Symbol.dispose]();
    await this.#platform.stop();
  }

  async #strike(attack: Attack, names: Names): Promise<Strike> {
    const platform = this.#platform;
    const worker = names.self;
    if (attack.trigger !== 'upload') await this.#prepare(attack, names);
    const seen = platform.output.length;
    this.#watch.takePeak();
    const from = performance.now();
    const exits: number[] = [];
    let read = seen;
    const look = (): void => {
      for (; read < platform.output.length; read++)
        if (platform.output[read]?.includes('"event":"cell-exit"')) exits.push(performance.now());
    };
    const looking = setInterval(look, 5);
    const answer = await strike(platform, attack, names, PATIENCE_MS);
    const isQuiet = await this.#watch.quiet(PATIENCE_MS);
    const harm = await this.#harm();
    clearInterval(looking);
    look();
    const to = performance.now();
    const records = recordsOf(worker, platform.output.slice(seen));
    const limitMs = attack.trigger === 'upload' ? STARTUP_CPU_MS : DEFAULT_LIMITS.cpuMs;
    // An upload that has cost a cell is checked once more, in a cell apart.
    const spans = [...exits.slice(0, 1).map((at) => at - from), ...records.map(({ cpuUs }) => cpuUs / 1e3)];
    return {
      answer,
      exits: exits.length,
      overranMs: Math.max(0, ...spans.map((span) => span - limitMs)),
      isQuiet,
      harm,
      peakBytes: this.#watch.takePeak(),
      outcomes: [...new Set(records.flatMap(({ outcome, exceptions }) => [outcome, ...exceptions.map(describe)]))],
      canary: this.#canary.report(from, to, exits),
    };
  }

  async #prepare(attack: Attack, names: Names): Promise<void> {
    const { account, self } = names;
    const path = `/accounts/${account}/workers/scripts/${self}`;
    const response = await this.#platform.control(path, {
      method: 'PUT',
      body: toAttackForm(attack, names),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot upload ${attack.name}: ${text}`);
    if (this.#options.cold) return;
    for (let call = 0; call < CALLS_TO_BE_INLINE; call++) await this.#platform.request(self, WARM_PATH, { account });
  }

  async #call(method: string, account: string, path: string, body: object): Promise<unknown> {
    const response = await this.#platform.control(`/accounts/${account}/${path}`, {
      method,
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Cannot ${method} ${path} for ${account}: ${text}`);
    return (JSON.parse(text) as { result: unknown }).result;
  }

  /** What is wrong with the platform, if something is. */
  async #harm(): Promise<string | undefined> {
    try {
      await this.#canary.alive(PATIENCE_MS);
      const health = await fetch(`${this.#platform.controlUrl}/healthz`, { signal: AbortSignal.timeout(PATIENCE_MS) });
      return health.ok ? undefined : `the control API says ${health.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

function describe({ name, message }: ExceptionInfo): string {
  return `${name}: ${message}`.slice(0, MAX_EXCEPTION_CHARS);
}

function recordsOf(worker: string, lines: readonly string[]): InvocationRecord[] {
  return lines
    .filter((line) => line.includes(`"worker":"${worker}"`) && line.includes('"event":"invocation"'))
    .map((line) => JSON.parse(line) as InvocationRecord);
}
