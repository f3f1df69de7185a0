/**
 * Seals itself as a cell is sealed at its start, then becomes the cell: for machines where bubblewrap cannot run.
 *
 * `node jail.ts <fd> <node> <arguments …>`: the filter is read from `fd`, which is the first one that the cell does not
 * get. There are no namespaces here: until the cell has its second filter it can read what its user can read.
 */
import ffi from 'node:ffi';
import { readFileSync } from 'node:fs';
import { loadFilter } from './seal.ts';

const FIRST_INHERITED_FD = 3;
const F_SETFD = 2;
const CLOSE_RANGE_CLOEXEC = 4;
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;

const [fdText = '', node = '', ...args] = process.argv.slice(2);
const filterFd = Number(fdText);
const filter = readFileSync(filterFd);

const { fcntl, close_range, prctl } = ffi.dlopen('libc.so.6', {
  fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  close_range: { arguments: ['u32', 'u32', 'i32'], return: 'i32' },
  prctl: { arguments: ['i32', 'u64', 'u64', 'u64', 'u64'], return: 'i32' },
}).functions;

// Node has marked what it inherited, so that its children do not get it. Here just that is wanted, and nothing else is.
for (let fd = FIRST_INHERITED_FD; fd < filterFd; fd++) fcntl?.(fd, F_SETFD, 0);
close_range?.(filterFd, 0xffffffff, CLOSE_RANGE_CLOEXEC);
// A cell whose supervisor is gone ends by itself when its channel closes; this is for one that does not look.
prctl?.(PR_SET_PDEATHSIG, BigInt(SIGKILL), 0n, 0n, 0n);
loadFilter(filter);
process.execve?.(node, [node, ...args]);
