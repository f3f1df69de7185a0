/**
 * What a process does to itself that cannot be undone: a seccomp filter for all of its threads, and no permissions of
 * Node's. The filter was made by the supervisor (confine/); this only loads it.
 */
import ffi from 'node:ffi';
import type { Seal } from './protocol.ts';

/** seccomp(2), by Node's name of the machine. */
const SYS_SECCOMP: Readonly<Record<string, number>> = { x64: 317, arm64: 277 };
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1; // for the threads that run already, too
const PR_SET_NO_NEW_PRIVS = 38;
const INSTRUCTION_BYTES = 8;

/** Throws when any of it cannot be done: a cell that is not sealed must not serve. */
export function seal({ filter, permissions }: Seal): void {
  if (filter !== undefined) loadFilter(Buffer.from(filter, 'base64'));
  // The filter before the permission that loading it takes.
  for (const permission of permissions) process.permission?.drop(permission);
}

/** From here on the kernel asks this filter too, about every call of every thread of this process. */
export function loadFilter(filter: Buffer): void {
  const number = SYS_SECCOMP[process.arch];
  if (number === undefined) throw new Error(`Cannot load a filter: there is none for ${process.arch}`);
  const { prctl, syscall } = ffi.dlopen('libc.so.6', {
    prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
    syscall: { arguments: ['i64', 'u64', 'u64', 'pointer'], return: 'i64' },
  }).functions;
  prctl?.(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n);
  const program = Buffer.from(new ArrayBuffer(filter.length));
  filter.copy(program);
  // struct sock_fprog: u16 number of instructions, pointer to them
  const header = Buffer.from(new ArrayBuffer(16));
  header.writeUInt16LE(program.length / INSTRUCTION_BYTES, 0);
  header.writeBigUInt64LE(ffi.getRawPointer(program.buffer), 8);
  const mode = BigInt(SECCOMP_SET_MODE_FILTER);
  const flags = BigInt(SECCOMP_FILTER_FLAG_TSYNC);
  const result = syscall?.(BigInt(number), mode, flags, ffi.getRawPointer(header.buffer));
  if (Number(result) !== 0) throw new Error(`Cannot load a filter: seccomp(2) answered ${String(result)}`);
}
