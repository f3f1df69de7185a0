/**
 * CPU clocks of single threads, readable from other threads of the process.
 *
 * Linux encodes a thread's CPU clock in a clock id (`CPUCLOCK_PERTHREAD | CPUCLOCK_SCHED`, see clock_getcpuclockid(3)
 * and the kernel's posix-timers_types.h), so `clock_gettime` needs no file system: it also works where `/proc` is not
 * mounted. Unlike `/proc/…/schedstat`, which is brought up to date at scheduler ticks, it is exact. About 1 µs a call.
 */
import { openSync } from 'node:fs';
import ffi from 'node:ffi';

/** CPU time used so far by one thread, in µs. */
export type CpuClock = () => number;

const isLinux = process.platform === 'linux';

const libc = isLinux
  ? ffi.dlopen('libc.so.6', {
      clock_gettime: { arguments: ['i32', 'pointer'], return: 'i32' },
      gettid: { arguments: [], return: 'i32' },
      setpriority: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
      lseek: { arguments: ['i32', 'i64', 'i32'], return: 'i64' },
      getdents64: { arguments: ['i32', 'pointer', 'u64'], return: 'i64' },
      _exit: { arguments: ['i32'], return: 'void' },
    }).functions
  : undefined;

// Made once: a sealed cell may not ask for the address of anything any more.
const timespec = new BigInt64Array(2);
const timespecPointer = ffi.getRawPointer(timespec.buffer);
const taskFolder = openTaskFolder();
const dirents = Buffer.from(new ArrayBuffer(4_096));
const direntsPointer = ffi.getRawPointer(dirents.buffer);

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
  let lastUs = 0;
  return () => {
    // Fails only when the thread has ended: it used what it used.
    if (getTime(clockId, timespecPointer) === 0) lastUs = Number(timespec[0]) * 1e6 + Number(timespec[1]) / 1e3;
    return lastUs;
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

/** Ids of all threads of this process; empty where `/proc` was not there when this module was loaded. */
export function listThreadIds(): number[] {
  const read = libc?.['getdents64'];
  if (taskFolder === undefined || read === undefined) return [];
  libc?.['lseek']?.(taskFolder, 0n, 0);
  const ids: number[] = [];
  for (;;) {
    const bytes = Number(read(taskFolder, direntsPointer, BigInt(dirents.length)));
    if (bytes <= 0) return ids;
    // struct linux_dirent64: inode, offset, u16 length of the record, type, name ended by a zero
    for (let at = 0; at < bytes; at += dirents.readUInt16LE(at + 16)) {
      const id = Number(dirents.toString('latin1', at + 19, dirents.indexOf(0, at + 19)));
      if (id > 0) ids.push(id); // neither `.` nor `..`
    }
  }
}

/**
 * Ends this process at once, from any of its threads. A signal would not do: the first process of a PID namespace, which
 * a confined cell is, cannot be ended by its own.
 */
export function endProcess(code: number): void {
  libc?.['_exit']?.(code);
  process.kill(process.pid, 'SIGKILL'); // where there is no libc to ask
}

/** Opened once: a sealed cell opens nothing any more, and can still read what it has open. */
function openTaskFolder(): number | undefined {
  try {
    return isLinux ? openSync('/proc/self/task', 'r') : undefined;
  } catch {
    return undefined;
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
