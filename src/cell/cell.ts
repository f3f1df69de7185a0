/**
 * A cell: runs Workers in isolates and nothing else. Transport is left to main.ts (a sandboxed process, frames over
 * inherited sockets) and to runtime/ (a library inside somebody else's program).
 */
import { type Exchange, type ExchangeEvents, openLocalExchange } from '../channel/index.ts';
import { type Engine, LoadError } from '../engine/index.ts';
import type { VersionId } from '../ids.ts';
import type { Outcome, VersionCode, VersionSpec } from '../model.ts';
import type { CellHost } from './host.ts';
import { Instances, checkCode } from './instances.ts';
import type { Instance, InstanceOwner, ServiceCall } from './instance.ts';
import { Invocation, type InvocationEvent } from './invocation.ts';
import type { Subrequest } from './subrequest.ts';

export interface CellOptions {
  readonly engine: Engine;
  readonly host: CellHost;
  /** All instances together, in bytes. */
  readonly memoryBudgetBytes: number;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

export interface CellStats {
  readonly instances: number;
  readonly isolates: number;
  readonly invocations: number;
  readonly evicted: number;
  readonly coldStarts: number;
}

export class Cell implements InstanceOwner {
  readonly host: CellHost;
  readonly #options: CellOptions;
  readonly #instances: Instances;
  readonly #running = new Set<Invocation>();
  #nextId = 1;
  #coldStarts = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: CellOptions) {
    this.#options = options;
    this.host = options.host;
    const { engine, host, memoryBudgetBytes } = options;
    this.#instances = new Instances({ engine, host, owner: this, memoryBudgetBytes });
  }

  /**
   * Answers a request. `head`: `ray\nversion\nclientIp\nmethod\nurl\nname\nvalue\n…`. Whatever happens, the exchange gets
   * a response or a reset.
   */
  serve(exchange: Exchange, head: string, body: Buffer, fin: boolean): ExchangeEvents {
    const [ray, version, clientIp, rest] = splitHead(head);
    const event: InvocationEvent = { kind: 'fetch', ray, clientIp, head: rest, depth: 0 };
    return this.#begin(version as VersionId, event, { exchange, body, fin });
  }

  /** Fires a scheduled event. Resolves with how it ended. */
  scheduled(version: VersionId, event: { ray: string; cron: string; scheduledTime: number }): Promise<Outcome> {
    return new Promise((resolve) => {
      const { ray, cron, scheduledTime } = event;
      const scheduled: InvocationEvent = { kind: 'scheduled', ray, clientIp: '', head: cron, scheduledTime, depth: 0 };
      this.#begin(version, scheduled, { exchange: undefined, body: EMPTY, fin: true }, resolve);
    });
  }

  /** Starts the code once and throws it away. Throws LoadError, whose message shows the position. */
  check(code: VersionCode): Promise<{ startupMs: number; handlers: string[] }> {
    return checkCode(this.#options.engine, code);
  }

  /** Makes an instance of the version before the first request needs it. */
  async prepare(version: VersionId): Promise<void> {
    await this.#instances.acquire(version);
  }

  /** These versions serve no more: their instances go when they are idle. */
  retire(versions: readonly VersionId[]): void {
    for (const version of versions) this.#instances.retire(version);
  }

  stats(): CellStats {
    return {
      instances: this.#instances.live,
      isolates: this.#options.engine.isolates,
      invocations: this.#running.size,
      evicted: this.#instances.evicted,
      coldStarts: this.#coldStarts,
    };
  }

  /** Resolves when no invocation runs any more, `waitUntil` work included. */
  drain(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onIdle = resolve));
  }

  dispose(): void {
    this.#instances.disposeAll();
  }

  // What instances need of their cell.

  now(): number {
    return this.#options.now();
  }

  touch(instance: Instance): void {
    this.#instances.touch(instance);
  }

  onCondemned(instance: Instance): void {
    this.#instances.remove(instance);
  }

  callService(instance: Instance, subrequest: Subrequest, call: ServiceCall): void {
    const binding = instance.spec.bindings[call.bindingIndex];
    if (binding?.type !== 'service') return subrequest.fail('No such service binding.');
    const { account } = instance.spec;
    const { ray, clientIp, depth } = subrequest.invocation.event;
    void this.host.resolveService(account, binding.service).then(
      (version) => {
        if (version === undefined) {
          return subrequest.fail(
            `Cannot call the service "${binding.service}": there is no such Worker in this account.`,
          );
        }
        const event = { kind: 'fetch', ray, clientIp, head: call.head, depth: depth + 1 } as const;
        subrequest.start(
          (body, fin, events) =>
            openLocalExchange(
              (exchange, _head, first, last) => this.#begin(version, event, { exchange, body: first, fin: last }),
              '',
              body,
              { fin, events },
            ),
          call.body,
        );
      },
      () => subrequest.fail(`Cannot call the service "${binding.service}": it could not be looked up.`),
    );
  }

  #begin(
    version: VersionId,
    event: InvocationEvent,
    request: { exchange: Exchange | undefined; body: Buffer; fin: boolean },
    onOutcome?: (outcome: Outcome) => void,
  ): Invocation {
    const instance = this.#instances.get(version);
    const { exchange, body, fin } = request;
    let spec: Pick<VersionSpec, 'account' | 'worker'> | undefined = instance?.spec;
    const invocation = new Invocation(this.#nextId++, event, exchange, {
      now: this.now(),
      onFinish: (ended, outcome) => {
        this.#running.delete(ended);
        const { account, worker } = ended.instance?.spec ?? spec ?? UNKNOWN_SPEC;
        this.host.record(ended.toRecord(outcome, { account, worker, version }));
        onOutcome?.(outcome);
        if (this.#running.size === 0) this.#onIdle?.();
      },
    });
    this.#running.add(invocation);
    if (instance !== undefined) {
      if (!fin) invocation.holdBody(body);
      instance.begin(invocation, fin && body.byteLength > 0 ? body : undefined, !fin);
      return invocation;
    }
    if (!fin) invocation.holdBody(body);
    this.#coldStarts++;
    void this.#instances.acquire(version).then(
      (made) => {
        spec = made.spec;
        if (invocation.finished) return;
        made.begin(invocation, fin && body.byteLength > 0 ? body : undefined, !fin);
      },
      (error: unknown) => this.#failStart(invocation, error),
    );
    return invocation;
  }

  #failStart(invocation: Invocation, error: unknown): void {
    const isTenants = error instanceof LoadError;
    const message = error instanceof Error ? error.message : String(error);
    const name = isTenants ? 'LoadError' : 'Error';
    invocation.exception({ name, message, stack: '', timestamp: this.now() });
    invocation.finish(isTenants ? 'exception' : 'internalError');
  }
}

const EMPTY = Buffer.alloc(0);
const UNKNOWN_SPEC = { account: '', worker: '' } as unknown as Pick<VersionSpec, 'account' | 'worker'>;

function splitHead(head: string): [ray: string, version: string, clientIp: string, rest: string] {
  const first = head.indexOf('\n');
  const second = head.indexOf('\n', first + 1);
  const third = head.indexOf('\n', second + 1);
  return [head.slice(0, first), head.slice(first + 1, second), head.slice(second + 1, third), head.slice(third + 1)];
}
