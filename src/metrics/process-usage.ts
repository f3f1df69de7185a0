/** What the system says of a process: a cell is not believed about itself where it need not be. */
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100; // of /proc, on every Linux that Node runs on

/** Resident memory in bytes; undefined when it has just ended, or the system has no /proc. */
export function residentBytes(pid: number): number | undefined {
  const [, kib] = /^VmRSS:\s*(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? [];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** CPU time of all its threads. */
export function cpuSeconds(pid: number): number | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // Fields 14 and 15; the second is a name in brackets, which may have anything in it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : undefined;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
