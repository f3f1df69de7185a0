/** What the kernel counts of a cell, by setrlimit(2). Memory is not among it: V8 reserves address space as it likes. */
import ffi from 'node:ffi';

/** Arguments of prlimit(1). */
export const CELL_RLIMITS: readonly string[] = [
  '--core=0', // a dump would hold the memory of all tenants
  '--fsize=0',
  '--nofile=4096:4096', // needed are two or three dozen
  '--memlock=65536:65536',
  '--msgqueue=0',
  '--sigpending=4096:4096',
];

/** Threads of a cell that has a user id of its own: some 20, and those of isolated-vm. Others may share theirs. */
export const OWN_UID_RLIMITS: readonly string[] = ['--nproc=512:512'];

const RLIMIT_NICE = 13;
const NICE_CEILING = 35n; // 20 − (−15): what the watchdog's thread asks for

/**
 * Lets processes that are started from here on give a thread more of the CPU, though they have no privileges: the
 * watchdog of a cell, which must not wait behind the code that it watches. Needs root; without, limits are a little
 * less sharp on a busy machine.
 */
export function allowNice(): void {
  const limits = new BigUint64Array([NICE_CEILING, NICE_CEILING]);
  const { setrlimit } = ffi.dlopen('libc.so.6', {
    setrlimit: { arguments: ['i32', 'pointer'], return: 'i32' },
  }).functions;
  setrlimit?.(RLIMIT_NICE, ffi.getRawPointer(limits.buffer));
}
