/**
 * What an intruder tries: with native system calls, as one who has broken out of V8 has them, and with what Node offers to
 * one who has only reached an object of the host. Pointers are made here, before any permission is dropped.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import ffi from 'node:ffi';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { syscallNumber, type Architecture } from '../../src/confine/syscalls.ts';
import type { Orders } from './orders.ts';

// What a broken V8 gives: any function of libc, whatever Node's permissions say later.
const libc = ffi.dlopen('libc.so.6', {
  syscall: { arguments: ['i64', 'u64', 'u64', 'u64', 'u64', 'u64', 'u64'], return: 'i64' },
  __errno_location: { arguments: [], return: 'pointer' },
  _exit: { arguments: ['i32'], return: 'void' },
  posix_spawn: { arguments: ['pointer', 'pointer', 'u64', 'u64', 'pointer', 'pointer'], return: 'i32' },
}).functions;
const buffers = Array.from({ length: 5 }, () => Buffer.from(new ArrayBuffer(1_024)));
const pointers = buffers.map((buffer) => ffi.getRawPointer(buffer.buffer));
const errnoView = Buffer.from(ffi.toArrayBuffer(libc['__errno_location']?.() ?? 0n, 4, false));

const AT_FDCWD = -100;
const O_CREAT_WRONLY = 0x41;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const CLONE_NEWUSER = 0x10000000;
const SIGCHLD = 17;
const PTRACE_SEIZE = 0x4206;
const RLIMIT_NOFILE = 7;

/** `done`, or the error's name. */
type Attempt = (orders: Orders) => Promise<string> | string;

/** Lets through: the kernel looked at the arguments, which are wrong on purpose, or did it. */
function call(name: string, args: readonly (bigint | number)[], letThrough: readonly number[] = []): string {
  const number = syscallNumber(name, process.arch as Architecture);
  if (number === undefined) return 'errno ENOSYS';
  errnoView.writeInt32LE(0, 0);
  const padded = Array.from({ length: 6 }, (_, at) => BigInt.asUintN(64, BigInt(args[at] ?? 0)));
  const result = Number(
    libc['syscall']?.(BigInt(number), ...(padded as [bigint, bigint, bigint, bigint, bigint, bigint])),
  );
  if (result >= 0) return `done ${result}`;
  const errno = errnoView.readInt32LE(0);
  return letThrough.includes(errno) ? 'done' : `errno ${errno}`;
}

function text(at: number, value: string): bigint {
  buffers[at]?.fill(0).write(value, 'latin1');
  return pointers[at] ?? 0n;
}

/** Through a socket that is made now. */
function connectTo(family: number, address: Buffer): string {
  const made = call('socket', [family, SOCK_STREAM, 0]);
  if (!made.startsWith('done ')) return made;
  buffers[0]?.fill(0);
  address.copy(buffers[0] ?? address);
  return call('connect', [Number(made.slice(5)), pointers[0] ?? 0n, address.length]);
}

export const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  'Node: read a file of the operator': ({ secret }) => {
    readFileSync(secret);
    return 'done';
  },
  'Node: write a file': ({ writable }) => {
    writeFileSync(`${writable}-node`, 'x');
    return 'done';
  },
  'Node: connect to a service of the host': async ({ port }) => {
    await once(connect(port, '127.0.0.1'), 'connect');
    return 'done';
  },
  'Node: start a process': async () => {
    const [code] = (await once(spawn(process.execPath, ['--version']), 'exit')) as [number];
    return `done ${code}`;
  },
  'Node: start a thread': async () => {
    await once(new Worker('0', { eval: true }), 'exit');
    return 'done';
  },
  'Node: load native code': () => {
    ffi.dlopen('libm.so.6', {});
    return 'done';
  },
  'open a file of the operator': ({ secret }) => call('openat', [AT_FDCWD, text(0, secret), 0]),
  'write a file': ({ writable }) => call('openat', [AT_FDCWD, text(0, `${writable}-native`), O_CREAT_WRONLY, 0o600]),
  'read memory of another process, by /proc': ({ victim }) =>
    call('openat', [AT_FDCWD, text(0, `/proc/${victim}/mem`), 0]),
  'read memory of another process': ({ victim }) => {
    // A byte from address 4096: not mapped, which the kernel says only to whom it would let read.
    for (const at of [1, 2]) {
      buffers[at]?.writeBigUInt64LE(at === 1 ? (pointers[3] ?? 0n) : 4_096n, 0);
      buffers[at]?.writeBigUInt64LE(1n, 8);
    }
    return call('process_vm_readv', [victim, pointers[1] ?? 0n, 1, pointers[2] ?? 0n, 1], [14]);
  },
  'trace another process': ({ victim }) => call('ptrace', [PTRACE_SEIZE, victim, 0, 0]),
  'signal the supervisor': ({ supervisor }) => call('kill', [supervisor, 0]),
  'signal a thread of the supervisor': ({ supervisor }) => call('tgkill', [supervisor, supervisor, 0]),
  'execute a program': () => call('execve', [text(0, '/nonexistent'), 0, 0], [2]),
  'start a process': () => {
    const path = text(0, process.execPath);
    text(1, '--version');
    buffers[2]?.fill(0);
    buffers[2]?.writeBigUInt64LE(path, 0);
    buffers[2]?.writeBigUInt64LE(pointers[1] ?? 0n, 8);
    const environment = pointers[2] ?? 0n;
    const result = libc['posix_spawn']?.(pointers[4] ?? 0n, path, 0n, 0n, environment, environment + 16n);
    return result === 0 ? 'done' : `errno ${String(result)}`;
  },
  'connect to a service of the host': ({ port }) => {
    const address = Buffer.alloc(16);
    address.writeUInt16LE(AF_INET, 0);
    address.writeUInt16BE(port, 2);
    address.set([127, 0, 0, 1], 4);
    return connectTo(AF_INET, address);
  },
  'connect to an abstract socket of the host': ({ abstract }) => {
    const address = Buffer.alloc(3 + abstract.length);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(abstract, 3);
    return connectTo(AF_UNIX, address);
  },
  'turn the channel to another address': () => call('connect', [3, text(0, '\x01\0\0x'), 4], [106, 111]),
  'hand a descriptor to the supervisor': () => call('sendmsg', [3, 4_096, 0], [14]),
  'make a user namespace': () => {
    const made = call('clone', [CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0]);
    if (made === 'done 0') libc['_exit']?.(0); // this is the child now
    return made;
  },
  'leave its namespaces': () => call('unshare', [CLONE_NEWUSER], [22]), // which a process with threads may not
  'mount a file system': () => call('mount', [text(0, 'x'), text(1, '/'), text(2, 'nofs'), 0, 0], [19]),
  'become root': () => call('setuid', [0], []),
  'use io_uring': () => call('io_uring_setup', [0, pointers[0] ?? 0n], [22, 14]),
  'load a BPF program': () => call('bpf', [5, pointers[0] ?? 0n, 0], [22, 7, 14]),
  'measure by perf_event_open': () => call('perf_event_open', [pointers[0] ?? 0n, 0, -1, -1, 0], [22, 2, 14, 7]),
  'stall the kernel by userfaultfd': () => call('userfaultfd', [0], []),
  'read the keys of the user': () => call('keyctl', [0, -3, 1], []),
  'make an executable file in memory': () => call('memfd_create', [text(0, 'x'), 0]),
  'raise its limits': () => {
    buffers[0]?.writeBigUInt64LE(5_000n, 0);
    buffers[0]?.writeBigUInt64LE(5_000n, 8);
    return call('prlimit64', [0, RLIMIT_NOFILE, pointers[0] ?? 0n, 0]);
  },
  'put itself before others': () => call('setpriority', [0, 0, -5]),
};
