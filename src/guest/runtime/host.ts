/**
 * The guest's side of the wire: the callbacks given at boot, and the state of the running entry.
 *
 * Everything here is module state on purpose: an isolate serves one tenant, one entry runs at a time, and a variable
 * in a closure is out of a tenant's reach where a property of an object would not be.
 */
import type { HostFunction, HostSyncFunction } from '../abi.ts';

let inline: HostFunction = notConnected;
let queued: HostFunction = notConnected;
let sync: HostSyncFunction = notConnected;
let clock = 0;
let lastId = 0;

/** Sends one operation of `HOST`, by the way of the running entry. */
export let host: HostFunction = notConnected;

export function connect(hostInline: HostFunction, hostQueued: HostFunction, hostSyncFunction: HostSyncFunction): void {
  inline = hostInline;
  queued = hostQueued;
  host = hostInline;
  sync = hostSyncFunction;
}

/** Sets what every clock shows, and by which way host calls leave, until the next entry. */
export function beginEntry(now: number, pooled: boolean): void {
  clock = now;
  host = pooled ? queued : inline;
}

/** Asks one question of `HOST_SYNC`. */
export function hostSync(op: number, a: unknown): unknown {
  return sync(op, a);
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
