import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createCellFilter } from './policy.ts';
import type { Architecture } from './syscalls.ts';
import { isInBitmap, runFilter } from './testing.ts';

const ARCHITECTURES: readonly Architecture[] = ['x64', 'arm64'];
const REFUSED = 'errno 1';
const PID = 1;

for (const architecture of ARCHITECTURES) {
  const filters = {
    start: createCellFilter({ architecture, stage: 'start', pid: PID }),
    serve: createCellFilter({ architecture, stage: 'serve', pid: PID }),
  };
  const ask = (stage: 'serve' | 'start', syscall: number | string, args: readonly (bigint | number)[] = []): string =>
    runFilter(filters[stage], architecture, { syscall, args });
  const both = (syscall: number | string, args: readonly (bigint | number)[], expected: string): void => {
    for (const stage of ['start', 'serve'] as const) {
      const verdict = ask(stage, syscall, args);
      if (verdict !== 'none') assert.equal(verdict, expected, `${String(syscall)}(${args.join(', ')}) while ${stage}`);
    }
  };

  describe(`createCellFilter() on ${architecture}`, () => {
    it('lets through what a serving cell does', () => {
      for (const call of ['read', 'write', 'writev', 'epoll_pwait', 'futex', 'mmap', 'mprotect', 'madvise', 'munmap']) {
        both(call, [], 'allow');
      }
      for (const call of ['clock_gettime', 'getrandom', 'exit_group', 'close', 'eventfd2', 'getrusage']) {
        both(call, [], 'allow');
      }
    });

    it('lets the kernel know what a request takes without running a filter', () => {
      // By strace of a cell under load, and what V8 does now and then. `fcntl`, whose arguments count, shows the difference.
      const ofRequests = ['read', 'write', 'writev', 'epoll_pwait', 'futex', 'clock_gettime', 'getpid'];
      for (const call of [...ofRequests, 'mmap', 'munmap', 'mprotect', 'madvise', 'sched_yield', 'getrusage']) {
        for (const filter of Object.values(filters)) assert.ok(isInBitmap(filter, architecture, call), call);
      }
      assert.equal(isInBitmap(filters.serve, architecture, 'fcntl'), false);
    });

    it('refuses every way to a network, also those round connect()', () => {
      for (const call of ['socket', 'connect', 'bind', 'listen', 'accept4', 'socketpair'])
        both(call, [2, 1, 0], REFUSED);
      const MSG_FASTOPEN = 0x20000000;
      for (const call of ['sendto', 'sendmsg', 'sendmmsg']) both(call, [5, 0, 0, MSG_FASTOPEN], REFUSED);
    });

    it('refuses new processes, and lets threads begin', () => {
      const THREAD = 0x3d0f00; // as glibc starts one
      both('clone', [THREAD], 'allow');
      both('clone', [17], REFUSED); // fork()
      for (const flag of [0x10000000, 0x20000000, 0x40000000, 0x02000000, 0x04000000, 0x08000000, 0x00020000, 0x80]) {
        both('clone', [THREAD | flag], REFUSED); // a namespace as well
      }
      both('fork', [], REFUSED);
      both('vfork', [], REFUSED);
      both('clone3', [], 'errno 38');
      both('execveat', [], REFUSED);
    });

    it('takes exec and open away once the cell serves', () => {
      assert.equal(ask('start', 'execve'), 'allow');
      assert.equal(ask('serve', 'execve'), REFUSED);
      const O_CLOEXEC = 0x80000;
      assert.equal(ask('start', 'openat', [-100, 0, O_CLOEXEC]), 'allow');
      assert.equal(ask('serve', 'openat', [-100, 0, O_CLOEXEC]), REFUSED);
      for (const call of [
        'open',
        'openat2',
        'creat',
        'stat',
        'newfstatat',
        'statx',
        'readlinkat',
        'getcwd',
        'seccomp',
      ]) {
        const verdict = ask('serve', call);
        if (verdict !== 'none') assert.equal(verdict, REFUSED, call);
      }
    });

    it('never opens for writing', () => {
      for (const flags of [1, 2, 0x40, 0x200, 0x410000 | 0x400000]) both('openat', [-100, 0, flags], REFUSED);
      both('open', [0, 0x41], REFUSED);
      both('creat', [], REFUSED);
      both('memfd_create', [], REFUSED);
    });

    it('lets a cell signal its own threads and nobody else', () => {
      both('tgkill', [PID, 12, 6], 'allow');
      both('tgkill', [PID + 1, 12, 6], REFUSED);
      both('kill', [PID, 9], REFUSED);
      both('tkill', [PID, 9], REFUSED);
    });

    it('lets limits be read and not set', () => {
      both('prlimit64', [0, 7, 0, 1], 'allow');
      both('prlimit64', [0, 7, 0x1000, 0], REFUSED);
      both('prlimit64', [0, 7, 0x7f0000000000n, 0], REFUSED); // the lower half alone is null
    });

    it('lets a thread become nicer at any time, and less so only before it serves', () => {
      assert.equal(ask('start', 'setpriority', [0, 7, -15]), 'allow');
      assert.equal(ask('serve', 'setpriority', [0, 7, -15]), REFUSED);
      both('setpriority', [0, 7, 5], 'allow');
      both('setpriority', [1, 7, 5], REFUSED); // a process group
    });

    it('lets only harmless options be set', () => {
      both('setsockopt', [5, 1, 7], 'allow');
      both('setsockopt', [5, 1, 26], REFUSED); // SO_ATTACH_FILTER
      both('setsockopt', [5, 6, 7], REFUSED);
      both('prctl', [15], 'allow'); // PR_SET_NAME
      both('prctl', [1, 9], REFUSED); // PR_SET_PDEATHSIG
      both('ioctl', [5, 0x5421], 'allow'); // FIONBIO
      both('ioctl', [0, 0x5412], REFUSED); // TIOCSTI
      both('fcntl', [5, 4, 0], 'allow'); // F_SETFL
      both('fcntl', [5, 8, 1], REFUSED); // F_SETOWN
    });

    it('makes libuv do without io_uring', () => {
      for (const call of ['io_uring_setup', 'io_uring_enter', 'io_uring_register']) both(call, [], 'errno 38');
    });

    it('ends a process that asks for what nobody needs', () => {
      for (const call of ['ptrace', 'process_vm_readv', 'perf_event_open', 'userfaultfd', 'bpf', 'init_module']) {
        both(call, [], 'kill');
      }
      for (const call of ['mount', 'setns', 'unshare', 'keyctl', 'setuid', 'open_by_handle_at', 'kexec_load']) {
        both(call, [], 'kill');
      }
    });

    it('refuses what it does not know, and ends calls of another machine', () => {
      both(9_999, [], REFUSED);
      const audit = 0x40000003; // i386
      for (const stage of ['start', 'serve'] as const) {
        assert.equal(runFilter(filters[stage], architecture, { syscall: 3, audit }), 'kill');
      }
      if (architecture === 'x64') both(0x40000000 + 1, [], 'kill'); // x32
    });

    it('is short enough for the kernel', () => {
      for (const filter of Object.values(filters)) assert.ok(filter.length / 8 < 1_000, `${filter.length / 8}`);
    });
  });
}
