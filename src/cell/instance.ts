/**
 * One isolate with one version loaded, and the invocations in it: serves them, hands host calls to whoever does them,
 * and results back in. Entries happen one at a time, inline or on the pool as placement says.
 */
import type { Exchange } from '../channel/index.ts';
import {
  ENTRY,
  type EntryResult,
  type GuestIsolate,
  type GuestArgument,
  type HeapStatistics,
  type HostHandler,
  toGuestBytes,
} from '../engine/index.ts';
import { ENTER, HOST_SYNC } from '../guest/abi.ts';
import { IdTable } from '../id-table.ts';
import { DEFAULT_LIMITS, MAX_TIMERS, STARTUP_CPU_MS } from '../limits.ts';
import type { Outcome, StartRecord, VersionSpec } from '../model.ts';
import { handleHostCall, handleHostQuestion } from './host-calls.ts';
import { InStream } from './in-stream.ts';
import type { CellHost } from './host.ts';
import type { HostCallTimes } from './host-call-times.ts';
import type { Invocation } from './invocation.ts';
import type { OutStream } from './out-stream.ts';
import type { Place, Placement } from './placement.ts';
import type { Services } from './services/index.ts';
import type { Subrequest, SubrequestBody } from './subrequest.ts';
import type { WebSocketEnd } from './web-socket.ts';

/** What an instance needs of its cell. */
export interface InstanceOwner {
  readonly host: CellHost;
  readonly hostCalls: HostCallTimes;
  now(): number;
  /** Answers a call through a service binding. */
  callService(instance: Instance, subrequest: Subrequest, call: ServiceCall): void;
  /** An instance was started, or failed to. */
  onStarted(record: StartRecord): void;
  /** Counts the entry: for who was used last. */
  countEntry(): number;
  /** It takes no new invocation any more; when it is idle it has been disposed. */
  onCondemned(instance: Instance): void;
}

export interface ServiceCall {
  readonly bindingIndex: number;
  /** `method\nurl\nname\nvalue\n…` */
  readonly head: string;
  readonly body: SubrequestBody;
}

/** An isolate with code started in it, and what services keep for it since its start. */
export interface StartedGuest {
  readonly guest: GuestIsolate;
  readonly services: Services;
}

interface Entry {
  readonly invocation: Invocation;
  readonly op: number;
  readonly id: number;
  readonly a: Argument;
  readonly b: Argument;
  readonly c: Argument;
}

const INITIAL_INVOCATIONS = 4; // places in the table of running ones; most instances have one or none
const ENTRIES_IN_A_ROW = 8; // queued entries of one instance before others have their turn

export class Instance implements HostHandler {
  readonly spec: VersionSpec;
  readonly owner: InstanceOwner;
  readonly services: Services;
  /** It hit a limit, or was replaced: it takes no new invocation. */
  condemned = false;
  /** Memory held when it was last measured, in bytes. */
  heapBytes = 0;
  /** Body bytes that wait outside for the guest to take them. */
  heldBytes = 0;
  /** Questions to services that have no answer yet. */
  pendingAsks = 0;
  readonly outStreams = new Map<number, OutStream>();
  readonly inStreams = new Map<number, InStream>();
  readonly calls = new Map<number, Subrequest>();
  readonly sockets = new Map<number, WebSocketEnd>();
  readonly timers = new Map<number, { invocation: Invocation; timeout: NodeJS.Timeout | undefined }>();
  readonly invocations = new IdTable<Invocation>(0, INITIAL_INVOCATIONS);
  /** When it was last entered: a count of all entries of the cell. */
  lastUsed = 0;
  /** The same, when its memory was last measured; 0 before. */
  measuredAt = 0;
  readonly madeAtMs = performance.now();
  /** CPU time of all its entries, in µs, and invocations begun. */
  cpuUs = 0;
  requests = 0;
  readonly #guest: GuestIsolate;
  readonly #placement: Placement;
  readonly #queue: Entry[] = [];
  /** Invocations that settled during the entry under way; they end when its CPU time is known. */
  readonly #settled: Invocation[] = [];
  #entered = false;
  /** Whose entry is on the lane, or waits for it. */
  #onLane: Invocation | undefined;
  /** The time that the guest was told as it was entered. */
  #enteredAt = 0;
  /** Timers that the entry under way has set. */
  readonly #unstarted: { readonly id: number; readonly delayMs: number }[] = [];
  #nextInvocationId = 1;
  #nextInStreamId = 1;

  constructor(
    { guest, services }: StartedGuest,
    spec: VersionSpec,
    context: { owner: InstanceOwner; placement: Placement },
  ) {
    this.#guest = guest;
    this.services = services;
    this.spec = spec;
    this.owner = context.owner;
    this.#placement = context.placement;
    this.lastUsed = context.owner.countEntry();
    guest.handler = this;
  }

  get disposed(): boolean {
    return this.#guest.disposed;
  }

  /** What bodies may take outside the isolate, in bytes: as much as the isolate itself. */
  get maxHeldBytes(): number {
    return this.spec.limits.memoryMiB * 1024 * 1024;
  }

  get idle(): boolean {
    return this.invocations.size === 0 && !this.#entered;
  }

  /** Entries that wait for their turn. */
  get queuedEntries(): number {
    return this.#queue.length;
  }

  /** Starts an invocation: its fetch or scheduled event enters the guest. `body` is the whole body when it is here. */
  begin(invocation: Invocation, body: Buffer | undefined, streams: boolean): void {
    this.requests++;
    invocation.attach(this, this.#nextInvocationId++);
    this.invocations.add(invocation);
    const { kind, head, scheduledTime, missed, entrypoint } = invocation.event;
    if (kind === 'scheduled') {
      invocation.startWaitUntil();
      this.enter(invocation, ENTER.scheduled, invocation.id, head, scheduledTime, missed === true ? 1 : 0);
      return;
    }
    let streamId = 0;
    if (streams && invocation.exchange !== undefined) {
      const stream = this.createInStream(invocation, invocation.exchange, false);
      streamId = stream.id;
      invocation.connectBody(stream);
    }
    if (entrypoint === undefined) this.enter(invocation, ENTER.fetch, invocation.id, head, body, streamId);
    else this.enter(invocation, ENTER.fetchEntrypoint, invocation.id, `${entrypoint}\n${head}`, body, streamId);
  }

  /** Enters the guest on behalf of `invocation`, now or after the entries before it. Bytes may be `Uint8Array`. */
  enter(invocation: Invocation, op: number, id: number, a?: Argument, b?: Argument, c?: Argument): void {
    if (invocation.finished || this.#guest.disposed) return;
    if (this.#entered || this.#queue.length > 0) {
      this.#queue.push({ invocation, op, id, a, b, c });
      return;
    }
    this.#perform(invocation, op, id, a, b, c);
    if (this.#queue.length > 0 && !this.#entered) this.#drain();
  }

  host(op: number, id: number, a: unknown, b: unknown, c: unknown, d: unknown): void {
    if (!this.#guest.disposed) handleHostCall(this, op, id, [a, b, c, d]);
  }

  hostSync(op: number, a: unknown, b: unknown, c: unknown): unknown {
    if (op === HOST_SYNC.socketUnsent) return this.sockets.get(a as number)?.unsentBytes ?? 0;
    return this.#guest.disposed ? undefined : handleHostQuestion(this.services, op, [a, b, c]);
  }

  /** The invocation has ended: forgets everything that was on its behalf. */
  release(invocation: Invocation): void {
    if (!this.invocations.delete(invocation.id)) return;
    // The guest has forgotten its side of it when it says that all is done; ours is still here.
    if (invocation.hasResources) this.#dropPending(invocation);
    if (!invocation.guestDone) this.#close(invocation);
    if (this.condemned && this.invocations.size === 0) this.dispose();
  }

  /** The guest has settled it: it finishes with the entry under way. */
  settle(invocation: Invocation): void {
    if (this.#entered) this.#settled.push(invocation);
    else invocation.finish(invocation.outcome);
  }

  createInStream(invocation: Invocation, exchange: Exchange, isDownload: boolean): InStream {
    const stream = new InStream(this.#nextInStreamId++, this, { invocation, exchange, isDownload });
    invocation.hasResources = true;
    this.inStreams.set(stream.id, stream);
    return stream;
  }

  forgetInStream(id: number): void {
    this.inStreams.delete(id);
  }

  forgetOutStream(id: number): void {
    const stream = this.outStreams.get(id);
    if (stream === undefined) return;
    this.outStreams.delete(id);
    if (stream.invocation.responseBody === stream) stream.invocation.responseBody = undefined;
  }

  forgetCall(id: number): void {
    this.calls.delete(id);
  }

  /** The time as the guest knows it, in ms since 1970: it stands still during an entry. */
  get time(): number {
    return this.#entered ? this.#enteredAt : this.owner.now();
  }

  setTimer(id: number, invocation: Invocation, delayMs: number): void {
    if (this.timers.size >= MAX_TIMERS || this.timers.has(id)) return; // the guest runtime has refused it already
    invocation.outstanding++;
    invocation.hasResources = true;
    this.timers.set(id, { invocation, timeout: undefined });
    // All of an entry's timers start at its end. Else the order in which they fire would tell how long it computed in between.
    const wholeMs = Math.max(1, Math.trunc(delayMs)); // as Node takes them
    if (this.#entered) this.#unstarted.push({ id, delayMs: wholeMs });
    else this.#startTimer(id, wholeMs);
  }

  clearTimer(id: number): void {
    const timer = this.timers.get(id);
    if (timer === undefined) return;
    clearTimeout(timer.timeout);
    timer.invocation.outstanding--;
    this.timers.delete(id);
  }

  /** Takes no new invocation; is disposed when the running ones have ended. Clients' WebSockets are closed. */
  retire(): void {
    this.condemned = true;
    for (const socket of this.sockets.values()) socket.restart();
    if (this.idle) this.dispose();
  }

  dispose(): void {
    this.condemned = true;
    for (const invocation of this.invocations.values()) invocation.finish('canceled');
    this.services.dispose();
    this.#guest.dispose();
  }

  /** Begins a CPU profile; every entry is inline from here on. Its guest was made for it, and was not entered yet. */
  startProfile(intervalUs: number): void {
    this.#guest.startProfile(intervalUs);
  }

  /** Resolves to the profile, as JSON; also when the instance has been disposed of. */
  async stopProfile(): Promise<string> {
    return await this.#guest.stopProfile();
  }

  /** Undefined while an entry is under way on the pool, which would have to be waited for. */
  heapStatistics(): HeapStatistics | undefined {
    return this.#entered || this.#guest.disposed ? undefined : this.#guest.heapStatistics();
  }

  measure(): number {
    if (!this.#entered) {
      this.heapBytes = this.#guest.heap().usedBytes;
      this.measuredAt = this.lastUsed;
    }
    return this.heapBytes;
  }

  /** What it holds, in bytes, as last measured: at most some seconds ago. */
  get memoryBytes(): number {
    return this.heapBytes + this.heldBytes + this.services.heldBytes;
  }

  /** CPU time of the entry under way for this invocation, in µs: `cpuUs` of it has it when the entry has ended. */
  cpuUsUnderWay(invocation: Invocation): number {
    return this.#onLane === invocation ? this.#guest.laneUs : 0;
  }

  /** For the record of an invocation that ends. One that asked for too much had all there is. */
  memoryAtEnd(outcome: Outcome): number {
    if (outcome === 'exceededMemory') return this.maxHeldBytes;
    if (this.heapBytes === 0 && !this.disposed) this.measure();
    return this.memoryBytes;
  }

  #perform(invocation: Invocation, op: number, id: number, a: Argument, b: Argument, c: Argument): void {
    if (op === ENTER.socket) invocation.renewBudget();
    const budgetUs = this.#budgetOf(invocation);
    if (budgetUs <= 0) {
      invocation.finish('exceededCpu');
      return;
    }
    this.lastUsed = this.owner.countEntry();
    this.#entered = true;
    this.#enteredAt = this.owner.now();
    const place = this.#choosePlace();
    const parameters = [op, id, toArgument(a), toArgument(b), toArgument(c)] as const;
    if (place === 'inline') {
      const result = this.#guest.enter(budgetUs, parameters);
      this.#leave();
      this.#after(invocation, op, result);
      return;
    }
    this.#onLane = invocation;
    void this.#guest.enterPooled(place, budgetUs, parameters).then((result) => {
      this.#onLane = undefined;
      // Host calls that the entry queued arrive before its end does; the check for a hung invocation relies on that.
      this.#leave();
      this.#after(invocation, op, result);
      this.#drain();
    });
  }

  #leave(): void {
    this.#entered = false;
    if (this.#unstarted.length === 0) return;
    // By their delays: starting them takes time too, which must not put a longer one before a shorter one.
    const timers = this.#unstarted.splice(0).toSorted((a, b) => a.delayMs - b.delayMs);
    for (const { id, delayMs } of timers) this.#startTimer(id, delayMs);
  }

  #startTimer(id: number, delayMs: number): void {
    const timer = this.timers.get(id);
    if (timer === undefined) return; // it was cleared in the same entry
    timer.timeout = setTimeout(() => {
      this.timers.delete(id);
      timer.invocation.outstanding--;
      this.enter(timer.invocation, ENTER.timer, id);
    }, delayMs);
  }

  /** CPU time that is left to it, in µs. */
  #budgetOf(invocation: Invocation): number {
    return this.spec.limits.cpuMs * 1e3 - (invocation.cpuUs - invocation.renewedAtUs);
  }

  /**
   * Who is not known yet does not wait behind an entry that may run for minutes: it runs inline, with the usual limit,
   * which is the lesser evil.
   */
  #choosePlace(): Place {
    if (this.#guest.isProfiled) return 'inline';
    const { cpuMs } = this.spec.limits;
    const place = this.#placement.placeWithin(cpuMs);
    const usualMs = DEFAULT_LIMITS.cpuMs;
    const blocked = place === 'unknown' && cpuMs <= usualMs && this.#guest.isLaneTakenBeyond(STARTUP_CPU_MS * 1e3);
    return blocked ? 'inline' : place;
  }

  #drain(): void {
    for (let count = 0; this.#queue.length > 0; count++) {
      if (this.#entered) return;
      if (count === ENTRIES_IN_A_ROW) {
        setImmediate(() => this.#drain());
        return;
      }
      const next = this.#queue.shift();
      if (next === undefined || next.invocation.finished || this.#guest.disposed) continue;
      this.#perform(next.invocation, next.op, next.id, next.a, next.b, next.c);
    }
  }

  #after(invocation: Invocation, op: number, result: EntryResult): void {
    const cpuUs = this.#guest.entryCpuUs;
    invocation.cpuUs += cpuUs;
    this.cpuUs += cpuUs;
    this.#placement.learn(cpuUs);
    if (result !== ENTRY.ok && result !== ENTRY.threw) {
      this.#lost(invocation, result);
      return;
    }
    if (result === ENTRY.threw && op !== ENTER.rejection && this.#budgetOf(invocation) > 0) {
      // Before anything ends for the host: the guest tells the tenant's listeners, or the log.
      this.#perform(invocation, ENTER.rejection, invocation.id, this.#guest.lastError, undefined, undefined);
      return;
    }
    while (this.#settled.length > 0) {
      const settled = this.#settled.pop();
      settled?.finish(settled.outcome);
    }
    if (this.invocations.size > 0 && invocation.outstanding === 0) this.#endHung();
  }

  /** When nothing is on its way that could wake anything in the whole instance, nothing in it can end by itself. */
  #endHung(): void {
    if (this.#entered || this.#queue.length > 0 || this.#pending()) return;
    for (const invocation of this.invocations.values()) this.#finishHung(invocation);
  }

  #finishHung(invocation: Invocation): void {
    if (!invocation.responded && invocation.event.kind === 'fetch') {
      invocation.exception({
        name: 'Error',
        message: "The Worker's code had hung: nothing is pending, and it would never generate a response.",
        stack: '',
        timestamp: this.owner.now(),
      });
      invocation.finish('exception');
    } else if (invocation.responseBody !== undefined) {
      invocation.finish('exception');
    } else {
      invocation.finish('ok');
    }
  }

  #pending(): boolean {
    if (this.timers.size > 0 || this.calls.size > 0 || this.sockets.size > 0) return true;
    for (const { blocked } of this.outStreams.values()) if (blocked) return true;
    for (const { outstanding } of this.invocations.values()) if (outstanding > 0) return true;
    return false;
  }

  /** The isolate is gone, and with it every invocation in it; `culprit` is the one that passed a limit. */
  #lost(culprit: Invocation, result: EntryResult): void {
    const outcome: Outcome =
      result === ENTRY.exceededCpu ? 'exceededCpu' : result === ENTRY.exceededMemory ? 'exceededMemory' : 'canceled';
    this.owner.onCondemned(this);
    culprit.finish(outcome);
    this.dispose();
  }

  #dropPending(invocation: Invocation): void {
    for (const [id, timer] of this.timers) if (timer.invocation === invocation) this.clearTimer(id);
    for (const call of this.calls.values()) if (call.invocation === invocation) call.cancel();
    for (const socket of this.sockets.values()) if (socket.invocation === invocation) socket.drop();
    for (const stream of this.inStreams.values()) if (stream.invocation === invocation) stream.stop();
    for (const [id, stream] of this.outStreams) if (stream.invocation === invocation) this.outStreams.delete(id);
  }

  /** Tells the guest to forget it. The entry is charged to nobody: the invocation's record has been made. */
  #close(invocation: Invocation): void {
    if (this.#guest.disposed) return;
    const closing = invocation.toClosing();
    if (this.#entered || this.#queue.length > 0) {
      this.#queue.push({
        invocation: closing,
        op: ENTER.close,
        id: invocation.id,
        a: undefined,
        b: undefined,
        c: undefined,
      });
    } else {
      this.#perform(closing, ENTER.close, invocation.id, undefined, undefined, undefined);
    }
  }
}

/** Bytes of an argument as the engine takes them. Made when the entry is due, not while it queues. */
type Argument = string | number | Uint8Array | undefined;

function toArgument(value: Argument): GuestArgument {
  return value instanceof Uint8Array ? toGuestBytes(value) : value;
}
