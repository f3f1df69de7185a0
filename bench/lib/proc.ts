/** What the kernel says of processes: their children, CPU time and memory, read from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const TICK_US = 10_000; // USER_HZ is 100 on every Linux that Node runs on

/** A process and all its descendants that are alive, parents first. */
export function processTree(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const parent = statFields(Number(entry))?.parent;
    if (parent === undefined) continue;
    childrenOf.set(parent, [...(childrenOf.get(parent) ?? []), Number(entry)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
}

/** User and system time of all threads of these processes so far, in microseconds (resolution 10 ms a process). */
export function cpuUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (statFields(pid)?.ticks ?? 0) * TICK_US, 0);
}

/**
 * The same to the nanosecond, of the threads that are alive now: for short spans, at whose ends they are idle (of one that
 * runs, what it has used since the scheduler's last look is missing).
 */
export function exactCpuUs(pids: readonly number[]): number {
  let ns = 0;
  for (const pid of pids) {
    for (const thread of threadsOf(pid))
      ns += Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0);
  }
  return ns / 1e3;
}

/** Resident memory of these processes together, in bytes. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + residentOf(pid), 0);
}

/** The command line, arguments joined by spaces; '' when the process has gone. */
export function commandLine(pid: number): string {
  return (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
}

function residentOf(pid: number): number {
  // smaps_rollup counts pages; VmRSS of newer kernels may be off by some hundred KiB per thread.
  const text = read(`/proc/${pid}/smaps_rollup`) ?? read(`/proc/${pid}/status`) ?? '';
  const kib = /^(?:Rss|VmRSS):\s+(\d+) kB/m.exec(text)?.[1];
  return Number(kib ?? 0) * 1024;
}

function statFields(pid: number): { parent: number; ticks: number } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before may hold spaces; field 3 comes first
  return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // gone meanwhile
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // gone meanwhile
  }
}
