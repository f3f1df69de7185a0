/**
 * A cell: runs Workers in isolates and nothing else. Transport is left to main.ts (a sandboxed process, frames over
 * inherited sockets) and to runtime/ (a library inside somebody else's program).
 */
import { setTimeout } from 'node:timers/promises';
import { type Exchange, type ExchangeEvents, openLocalExchange } from '../channel/index.ts';
import { type Engine, LoadError } from '../engine/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { MAX_SERVICE_CALLS } from '../limits.ts';
import type { InvocationRecord, Outcome, StartRecord, VersionCode } from '../model.ts';
import type { CellHost } from './host.ts';
import { HostCallTimes } from './host-call-times.ts';
import { Instances, checkCode } from './instances.ts';
import type { Instance, InstanceOwner, ServiceCall } from './instance.ts';
import { Invocation, type InvocationEvent, type InvocationOwner } from './invocation.ts';
import type { InstanceProfile } from './profiling.ts';
import type { AskHeap, FireScheduled, InstanceHeap, StartProfile } from './protocol.ts';
import { InvocationTrace, splitRay } from './invocation-trace.ts';
import { StatsReporter } from './stats.ts';
import type { StatsMessage } from './stats-message.ts';
import type { Subrequest } from './subrequest.ts';
import { isUpgradeHead } from './web-socket.ts';

export interface CellOptions {
  readonly engine: Engine;
  readonly host: CellHost;
  /** All instances together, in bytes. */
  readonly memoryBudgetBytes: number;
  /** Wall clock, ms since 1970. */
  readonly now: () => number;
}

export class Cell implements InstanceOwner, InvocationOwner {
  readonly host: CellHost;
  readonly hostCalls = new HostCallTimes();
  readonly #options: CellOptions;
  readonly #instances: Instances;
  /** Who waits for the end of a scheduled event. */
  readonly #onRecord = new WeakMap<Invocation, (record: InvocationRecord) => void>();
  /** Invocations that wait for their instance to be made. */
  readonly #starting = new Map<Invocation, VersionId>();
  #running = 0;
  #entries = 0;
  #coldStarts = 0;
  #reporter: StatsReporter | undefined;
  readonly #onIdle: (() => void)[] = [];

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
    const [rayAndTrace, version, clientIp, rest] = splitHead(head);
    const [ray, trace] = splitRay(rayAndTrace);
    const event: InvocationEvent = { kind: 'fetch', ray, clientIp, head: rest, depth: 0, trace };
    return this.#begin(version as VersionId, event, { exchange, body, fin });
  }

  /** Fires a scheduled event. Resolves with how it went. */
  scheduled(version: VersionId, event: Omit<FireScheduled, 'version'>): Promise<InvocationRecord> {
    return new Promise((resolve) => {
      const { ray, cron: head, scheduledTime, missed, traceId } = event;
      const scheduled: InvocationEvent = {
        kind: 'scheduled',
        ray,
        clientIp: '',
        head,
        scheduledTime,
        missed,
        depth: 0,
        trace: traceId === undefined ? undefined : { traceId },
      };
      this.#begin(version, scheduled, { exchange: undefined, body: EMPTY, fin: true }, resolve);
    });
  }

  /** Starts the code once and throws it away. Throws LoadError, whose message shows the position. */
  check(code: VersionCode): Promise<{ startupMs: number; handlers: readonly string[] }> {
    return checkCode(this.#options.engine, code);
  }

  /** Makes an instance of the version before the first request needs it. */
  async prepare(version: VersionId): Promise<void> {
    await this.#instances.acquire(version, { cold: false });
  }

  /** Only these versions of the Worker serve from here on: instances of others go when they are idle. */
  retireOthers(serving: { account: AccountId; worker: WorkerName; serving: readonly VersionId[] }): void {
    this.#instances.retireOthers(serving);
  }

  /** The Worker's limits have changed, or those of all of the account: loads anew what is asked for next. */
  reload({ account, worker }: { account: AccountId; worker?: WorkerName | undefined }): void {
    this.#instances.reload(account, worker);
  }

  /** Ends what runs of the account. Only `CellHost.loadVersion` keeps it from being started again. */
  suspend(account: AccountId): void {
    this.#instances.disposeOf(account);
  }

  /** Sends what is new of it once a second, until it is disposed of. */
  reportStats(send: (message: StatsMessage) => void): void {
    const sources = {
      instances: this.#instances,
      hostCalls: this.hostCalls,
      spares: () => this.#options.engine.spares,
      running: () => this.#running,
      coldStarts: () => this.#coldStarts,
    };
    this.#reporter = new StatsReporter(sources, send);
  }

  /** Has the meter count what invocations that have not ended have used. */
  meterRunning(): void {
    const { meter } = this.host;
    if (meter === undefined) return;
    for (const instance of this.#instances.all()) {
      if (instance.invocations.size === 0) continue;
      for (const invocation of instance.invocations.values()) {
        invocation.told = meter.running({ ...invocation.toUse(), version: instance.spec.id }, invocation.told);
      }
    }
  }

  /** Of the Worker's live instances, as soon as each stands still. */
  async heap({ account, worker }: AskHeap): Promise<InstanceHeap[]> {
    const instances = [...this.#instances.all()].filter(
      ({ spec }) => spec.account === account && spec.worker === worker,
    );
    return await Promise.all(
      instances.map(async (instance) => ({
        version: instance.spec.id,
        heldBytes: instance.heldBytes,
        invocations: instance.invocations.size,
        heap: await heapOf(instance),
      })),
    );
  }

  /** Profiles the Worker's instances that are made from here on. */
  startProfile(target: StartProfile): void {
    this.#instances.startProfile(target);
  }

  /** Resolves to what the profile shows of the instance that has computed most, if there was one. */
  async stopProfile(): Promise<InstanceProfile | undefined> {
    return await this.#instances.stopProfile();
  }

  /** Resolves when no invocation runs any more, `waitUntil` work included. */
  drain(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  dispose(): void {
    this.#reporter?.close();
    this.#instances.disposeAll();
  }

  // What instances need of their cell.

  now(): number {
    return this.#options.now();
  }

  onStarted(record: StartRecord): void {
    this.host.meter?.start(record);
    this.host.recordStart(record);
  }

  countEntry(): number {
    return ++this.#entries;
  }

  onCondemned(instance: Instance): void {
    this.#instances.remove(instance);
  }

  callService(instance: Instance, subrequest: Subrequest, call: ServiceCall): void {
    const binding = instance.spec.bindings[call.bindingIndex];
    if (binding?.type !== 'service') return subrequest.fail('No such service binding.');
    const { account } = instance.spec;
    const { entrypoint } = binding;
    const { ray, clientIp, depth } = subrequest.invocation.event;
    const chain = (subrequest.invocation.chain ??= { calls: 0 });
    if (++chain.calls > MAX_SERVICE_CALLS) {
      return subrequest.fail(`Too many calls through service bindings: one request may set off ${MAX_SERVICE_CALLS}.`);
    }
    void this.host.resolveService(account, binding.service).then(
      (version) => {
        if (version === undefined) {
          return subrequest.fail(
            `Cannot call the service "${binding.service}": there is no such Worker in this account.`,
          );
        }
        const { hops } = subrequest.invocation;
        const passed = { ray, clientIp, head: call.head, hops, depth: depth + 1, chain, trace: subrequest.trace };
        const event = { kind: 'fetch', ...passed, entrypoint } as const;
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

  onFinish(invocation: Invocation, outcome: Outcome): void {
    const { instance } = invocation;
    const version = instance?.spec.id ?? this.#starting.get(invocation);
    const spec = instance?.spec ?? (version && this.#instances.specOf(version)) ?? UNKNOWN_SPEC;
    if (version !== undefined) {
      const { account, worker } = spec;
      const record = invocation.toRecord(outcome, { account, worker, version });
      this.host.meter?.end(record, invocation.told);
      const { cpuUs, trace } = invocation;
      trace?.end(outcome, spec, { cpuUs, version, ray: record.ray, event: record.event });
      const dropped = this.host.admitToTail?.(record);
      this.host.record(dropped === undefined ? record : { ...record, tail: invocation.toTailDetails(dropped) });
      this.#onRecord.get(invocation)?.(record);
    }
    this.#starting.delete(invocation);
    if (--this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #begin(
    version: VersionId,
    event: InvocationEvent,
    request: { exchange: Exchange | undefined; body: Buffer; fin: boolean },
    onRecord?: (record: InvocationRecord) => void,
  ): Invocation {
    const { exchange, body, fin } = request;
    const invocation = new Invocation(event, exchange, { now: this.now(), owner: this });
    const { onSpan } = this.host;
    if (event.trace !== undefined && onSpan !== undefined) invocation.trace = new InvocationTrace(event.trace, onSpan);
    this.#running++;
    if (onRecord !== undefined) this.#onRecord.set(invocation, onRecord);
    // What follows the head of one that asks for a WebSocket is not a body.
    const streams = !fin && !isUpgradeHead(event.head);
    if (streams) invocation.holdBody(body);
    const whole = fin && body.byteLength > 0 ? body : undefined;
    const instance = this.#instances.get(version);
    if (instance === undefined) this.#beginCold(version, invocation, { body: whole, streams });
    else instance.begin(invocation, whole, streams);
    return invocation;
  }

  #beginCold(
    version: VersionId,
    invocation: Invocation,
    request: { body: Buffer | undefined; streams: boolean },
  ): void {
    this.#coldStarts++;
    invocation.cold = true;
    this.#starting.set(invocation, version);
    void this.#instances.acquire(version, { cold: true }).then(
      (instance) => {
        if (invocation.finished) return;
        this.#starting.delete(invocation);
        // Gone again between its start and this turn of ours: the memory budget is short.
        if (instance.disposed) this.#beginCold(version, invocation, request);
        else instance.begin(invocation, request.body, request.streams);
      },
      (error: unknown) => this.#failStart(invocation, error),
    );
  }

  #failStart(invocation: Invocation, error: unknown): void {
    const isTenants = error instanceof LoadError;
    const message = error instanceof Error ? error.message : String(error);
    const name = isTenants ? 'LoadError' : 'Error';
    invocation.exception({ name, message, stack: '', timestamp: this.now() });
    invocation.finish(isTenants ? 'exception' : 'internalError');
  }
}

const HEAP_ATTEMPTS = 50;
const HEAP_RETRY_MS = 5;

async function heapOf(instance: Instance): Promise<InstanceHeap['heap']> {
  for (let attempt = 0; attempt < HEAP_ATTEMPTS; attempt++) {
    const heap = instance.heapStatistics();
    if (heap !== undefined || instance.disposed) return heap;
    // oxlint-disable-next-line no-await-in-loop -- until the entry on the pool has ended
    await setTimeout(HEAP_RETRY_MS);
  }
  return undefined;
}

const EMPTY = Buffer.alloc(0);
const UNKNOWN_SPEC = { account: '' as AccountId, worker: '' as WorkerName };

function splitHead(head: string): [ray: string, version: string, clientIp: string, rest: string] {
  const first = head.indexOf('\n');
  const second = head.indexOf('\n', first + 1);
  const third = head.indexOf('\n', second + 1);
  return [head.slice(0, first), head.slice(first + 1, second), head.slice(second + 1, third), head.slice(third + 1)];
}
