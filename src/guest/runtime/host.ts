/**
 * The guest's side of the wire: the callbacks given at boot, and the state of the running entry.
 *
 * Everything here is module state on purpose: an isolate serves one tenant, one entry runs at a time, and a variable
 * in a closure is out of a tenant's reach where a property of an object would not be.
 */
import { HOST, type HostFunction, type HostSyncFunction } from '../abi.ts';
import { setFrame } from './frames.ts';

let inline: HostFunction = notConnected;
let queued: HostFunction = notConnected;
let sync: HostSyncFunction = notConnected;
let clock = 0;
let lastId = 0;
let entries = 0;
/** Of the running entry: what it has sent that no limit of its own bounds. */
let logged = 0;
let timersSet = 0;

// An entry on the pool does not wait for the host: what it sends queues on the thread that serves everybody.
const MAX_LOGGED = 256 * 1024; // of one entry; the host keeps as much of a whole invocation
const LINE_COST = 64; // a line costs more than its characters
const MAX_TIMERS_SET = 10_000; // pending or cleared again

/** Sends one operation of `HOST`, by the way of the running entry. */
export let host: HostFunction = notConnected;

export function connect(hostInline: HostFunction, hostQueued: HostFunction, hostSyncFunction: HostSyncFunction): void {
  inline = hostInline;
  queued = hostQueued;
  host = hostInline;
  sync = hostSyncFunction;
}

/** Sends one operation of `HOST`: what parts call, who cannot see the binding above change. */
export function send(op: number, id: number, a?: unknown, b?: unknown, c?: unknown, d?: unknown): void {
  host(op, id, a, b, c, d);
}

/** Sets what every clock shows, and by which way host calls leave, until the next entry. */
export function beginEntry(now: number, pooled: boolean): void {
  clock = now;
  entries++;
  setFrame(undefined);
  logged = 0;
  timersSet = 0;
  host = pooled ? queued : inline;
}

/** Sends a console line; nothing once the entry has logged more than the host would keep. */
export function hostLog(invocation: number, level: string, line: string): void {
  if (logged > MAX_LOGGED) return;
  // The line that passes the limit still goes: by it the host sees that something was cut.
  logged += line.length + LINE_COST;
  host(HOST.log, invocation, level, line);
}

/** Before a timer is set. Throws a RangeError when the entry has done that too often. */
export function countTimer(): void {
  timersSet++;
  if (timersSet > MAX_TIMERS_SET) {
    throw new RangeError(`Cannot set a timer: this turn has set ${MAX_TIMERS_SET} already`);
  }
}

/** Tells entries apart: something that is counted for one of them starts anew in the next. */
export function entryNumber(): number {
  return entries;
}

/** Has the runtime been booted? It has not while a snapshot is made, nor where a unit test imports a piece of it. */
export function isConnected(): boolean {
  return sync !== notConnected;
}

/** Asks one question of `HOST_SYNC`. */
export function hostSync(op: number, a: unknown, b?: unknown, c?: unknown): unknown {
  return sync(op, a, b, c);
}

/** Wall time of the running entry, in ms since 1970. Stands still within an entry. */
export function now(): number {
  return clock;
}

/** Ids of calls, timers and out-streams: unique within the isolate's life. */
export function nextId(): number {
  return ++lastId;
}

function notConnected(): never {
  throw new Error('The runtime has not been booted');
}
