/**
 * File descriptors that whoever started us left open. Node would hand one that is far up to its children: a leaked one
 * reached the inside of a sandbox in an experiment, where it was a way to a file of the host.
 */
import ffi from 'node:ffi';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const FIRST_UNUSUAL_FD = 3;
const O_CLOEXEC = 0o2000000;
const F_SETFD = 2;
const FD_CLOEXEC = 1;

export interface Leaked {
  readonly fd: number;
  /** What it is open to, as the kernel says. */
  readonly target: string;
}

/** Marks every descriptor but the three standard ones so that no child gets it. Returns those that were not marked. */
export function closeOnExec(): Leaked[] {
  if (process.platform !== 'linux') return [];
  const { fcntl } = ffi.dlopen('libc.so.6', {
    fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  }).functions;
  const leaked: Leaked[] = [];
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd < FIRST_UNUSUAL_FD || isMarked(fd)) continue;
    fcntl?.(fd, F_SETFD, FD_CLOEXEC);
    leaked.push({ fd, target: targetOf(fd) });
  }
  return leaked;
}

/** Also when it is gone, as the one by which the folder was read. */
function isMarked(fd: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
    return (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    return true;
  }
}

function targetOf(fd: number): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return 'unknown';
  }
}
