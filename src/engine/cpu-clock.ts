/**
 * CPU clocks of single threads, readable from other threads of the process.
 *
 * Linux encodes a thread's CPU clock in a clock id (`CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED`, see clock_getcpuclockid(3)
 * and the kernel's posix-timers_types.h), so `clock_gettime` needs no file system: it also works where `/proc` is not
 * mounted. Unlike `/proc/…/schedstat`, which is brought up to date at scheduler ticks, it is exact. About 1 µs a call.
 */
import { readdirSync } from 'node:fs';
import ffi from 'node:ffi';

/** CPU time used so far by one thread, in µs. */
export type CpuClock = () => number;

const isLinux = process.platform === 'linux';

const libc = isLinux
  ? ffi.dlopen('libc.so.6', {
      clock_gettime: { arguments: ['i32', 'pointer'], return: 'i32' },
      gettid: { arguments: [], return: 'i32' },
      setpriority: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
    }).functions
  : undefined;

const OFFSET_SAMPLES = 32;
const NOW_OFFSET_US = measureOffset();

/** Wall time in µs since some moment that is the same for all threads of the process. */
export function wallUs(): number {
  return performance.now() * 1e3 + NOW_OFFSET_US;
}

/** The calling thread's id, or 0 where threads have no clocks: there the watchdog bounds by wall and process CPU time. */
export function currentThreadId(): number {
  return libc?.['gettid']?.() ?? 0;
}

/** A clock of the thread `threadId`. Stands still when the thread has ended. */
export function createCpuClock(threadId: number): CpuClock {
  const getTime = libc?.['clock_gettime'];
  if (getTime === undefined) return () => processCpuUs();
  const clockId = (~threadId << 3) | 6;
  const timespec = new BigInt64Array(2);
  const pointer = ffi.getRawPointer(timespec.buffer);
  return () => {
    getTime(clockId, pointer); // fails only when the thread has ended, and then leaves what it last told
    return Number(timespec[0]) * 1e6 + Number(timespec[1]) / 1e3;
  };
}

/**
 * Lowers or raises a thread's share of the CPU (`nice`, -20…19; below 0 needs privileges). Returns whether it was
 * granted: a hint, never a promise.
 */
export function setThreadNice(threadId: number, nice: number): boolean {
  const PRIO_PROCESS = 0; // setpriority(2): on Linux `who` is a thread id
  return libc !== undefined && libc['setpriority']?.(PRIO_PROCESS, threadId, nice) === 0;
}

/** Ids of all threads of this process; empty where `/proc` is not there to ask. */
export function listThreadIds(): number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    return [];
  }
}

/** Between this thread's `performance.now()` and the clock that all threads share. */
function measureOffset(): number {
  let offset = 0;
  let narrowest = Infinity;
  for (let sample = 0; sample < OFFSET_SAMPLES; sample++) {
    const before = performance.now();
    const shared = Number(process.hrtime.bigint()) / 1e3;
    const after = performance.now();
    // A thread that has to wait between the two readings is off by as much: the closest pair counts.
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    offset = shared - ((before + after) / 2) * 1e3;
  }
  return offset;
}

function processCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
