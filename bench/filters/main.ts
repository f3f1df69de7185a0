/**
 * What one system call costs in this process, in ns, behind the filters that its argument names: `none`, `empty` (two that
 * allow everything) or `ours` (those of a cell). Prints it and ends: filters are never taken off.
 */
import ffi from 'node:ffi';
import { writeSync } from 'node:fs';
import { assembleFilter } from '../../src/confine/bpf.ts';
import { createCellFilter } from '../../src/confine/policy.ts';
import { isArchitecture } from '../../src/confine/syscalls.ts';
import { loadFilter } from '../../src/cell/seal.ts';

const CALLS = 100_000;
const ROUNDS = 9;

const architecture = process.arch;
if (!isArchitecture(architecture)) throw new Error(`Cannot measure filters: there is none for ${architecture}`);
const { getppid, _exit } = ffi.dlopen('libc.so.6', {
  getppid: { arguments: [], return: 'i32' },
  _exit: { arguments: ['i32'], return: 'void' },
}).functions;
if (getppid === undefined || _exit === undefined) throw new Error('Cannot measure filters: libc lacks a function');

const empty = assembleFilter({ architecture, rules: [], otherwise: 'allow' });
const FILTERS: Readonly<Record<string, readonly Buffer[]>> = {
  none: [],
  empty: [empty, empty],
  ours: (['start', 'serve'] as const).map((stage) => createCellFilter({ architecture, stage, pid: process.pid })),
};
for (const filter of FILTERS[process.argv[2] ?? ''] ?? []) loadFilter(filter);

const rounds = Array.from({ length: ROUNDS }, () => {
  const start = performance.now();
  for (let call = 0; call < CALLS; call++) getppid();
  return ((performance.now() - start) * 1e6) / CALLS;
});
writeSync(1, String(Math.min(...rounds)));
// At once: libuv has io_uring from before the filters, and does not survive that it is gone.
_exit(0);
