/**
 * What a cell may ask of the kernel. The lists began as what Node and isolated-vm were seen to call, at the start and
 * under every kind of load, with a margin of calls that give nobody anything. Numbers are those of Linux on both machines.
 */
import { assembleFilter, type Rule, type Test, type Verdict } from './bpf.ts';
import type { Architecture } from './syscalls.ts';

export interface PolicyOptions {
  readonly architecture: Architecture;
  /**
   * `start`: before Node begins, so it may be executed, load its libraries and read its code, and later load a filter
   * more. `serve`: when all that has happened; nothing is opened or executed any more.
   */
  readonly stage: 'serve' | 'start';
  /** Of the cell, as it sees itself: the one process that its threads may signal. */
  readonly pid: number;
}

const EPERM = 1;
const ENOSYS = 38;

/** Allowed whatever the arguments. */
const ALLOWED = words(`
  read write readv writev pread64 close fstat lseek dup dup2 dup3 pipe pipe2 poll ppoll getdents64
  epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 getsockname getpeername getsockopt shutdown
  mmap mprotect munmap brk mremap madvise membarrier mincore
  rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending sigaltstack
  futex set_robust_list set_tid_address rseq exit exit_group restart_syscall sched_yield
  getpid gettid getppid getuid geteuid getgid getegid getcpu sched_getaffinity sched_getparam sched_getscheduler getpriority
  clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time
  getrandom getrusage getrlimit times sysinfo uname arch_prctl`);

/** While the process comes up. None of these makes, changes or deletes anything. */
const AT_START = words(`
  execve access faccessat faccessat2 readlink readlinkat getcwd capget stat lstat newfstatat statx`);

/**
 * Tripwires: calls that neither Node nor libuv nor V8 ever makes. Whoever makes one is not our code any more, so the
 * process ends at once and its supervisor is told (SIGSYS).
 */
const TRIPWIRES = words(`
  ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd pidfd_send_signal process_madvise process_mrelease
  init_module finit_module delete_module kexec_load kexec_file_load bpf userfaultfd perf_event_open
  mount umount2 pivot_root chroot move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr setns unshare
  keyctl add_key request_key open_by_handle_at name_to_handle_at
  setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset
  acct swapon swapoff reboot sethostname setdomainname settimeofday clock_settime clock_adjtime adjtimex
  iopl ioperm modify_ldt quotactl quotactl_fd syslog vhangup lookup_dcookie nfsservctl uselib ustat sysfs
  migrate_pages move_pages mbind set_mempolicy fanotify_init fanotify_mark mknod mknodat memfd_secret`);

/** libc and libuv ask for these first, and have another way when the kernel does not know them. */
const NOT_THERE = words('clone3 io_uring_setup io_uring_enter io_uring_register');

const CLONE_NEW = 0x7e020000; // CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
const CLONE_NEWTIME = 0x80;
const CLONE_THREAD = 0x10000 | 0x100; // CLONE_THREAD | CLONE_VM
const O_WRITING = 0x3 | 0x40 | 0x200 | 0x400000; // O_ACCMODE | O_CREAT | O_TRUNC | __O_TMPFILE
const PRIO_PROCESS = 0;
const SECCOMP_SET_MODE_FILTER = 1;
const PR_SET_NAME = 15;
const PR_GET_NAME = 16;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_VMA = 0x53564d41;
const FIOCLEX = 0x5451;
const FIONBIO = 0x5421;
const FIONREAD = 0x541b;
const F_DUPFD_CLOEXEC = 1030;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;

/** The filter for one stage. Of two that are loaded the stricter verdict counts, so `serve` repeats what `start` says. */
export function createCellFilter({ architecture, stage, pid }: PolicyOptions): Buffer {
  const isStart = stage === 'start';
  const rules: Rule[] = [
    {
      syscall: 'clone',
      verdict: refused,
      allowIf: [[masked(0, CLONE_THREAD | CLONE_NEW | CLONE_NEWTIME, CLONE_THREAD)]],
    },
    { syscall: 'tgkill', verdict: refused, allowIf: [[equal(0, pid)]] },
    { syscall: 'fcntl', verdict: refused, allowIf: anyOf(1, [0, 1, 2, 3, 4, F_DUPFD_CLOEXEC]) }, // F_DUPFD … F_SETFL
    { syscall: 'ioctl', verdict: refused, allowIf: anyOf(1, [FIOCLEX, FIONBIO, FIONREAD]) },
    // No limit of its own is changed, read alone.
    { syscall: 'prlimit64', verdict: refused, allowIf: [[equal(2, 0), { argument: 2, equals: 0, high: true }]] },
    {
      syscall: 'setsockopt',
      verdict: refused,
      allowIf: [SO_SNDBUF, SO_RCVBUF].map((name) => [equal(1, SOL_SOCKET), equal(2, name)]),
    },
    {
      syscall: 'prctl',
      verdict: refused,
      allowIf: anyOf(0, [PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, ...(isStart ? [PR_SET_NO_NEW_PRIVS] : [])]),
    },
    {
      // The watchdog's thread is given more of the CPU as it starts, the lane's less at any time: never below nice 0 then.
      syscall: 'setpriority',
      verdict: refused,
      allowIf: [[equal(0, PRIO_PROCESS), ...(isStart ? [] : [masked(2, ~0x1f, 0)])]],
    },
    ...(isStart
      ? [
          { syscall: 'openat', verdict: refused, allowIf: [[masked(2, O_WRITING, 0)]] },
          { syscall: 'open', verdict: refused, allowIf: [[masked(1, O_WRITING, 0)]] },
          { syscall: 'seccomp', verdict: refused, allowIf: [[equal(0, SECCOMP_SET_MODE_FILTER)]] },
          ...AT_START.map((syscall): Rule => ({ syscall, verdict: 'allow' })),
        ]
      : []),
    ...ALLOWED.map((syscall): Rule => ({ syscall, verdict: 'allow' })),
    ...NOT_THERE.map((syscall): Rule => ({ syscall, verdict: { errno: ENOSYS } })),
    ...TRIPWIRES.map((syscall): Rule => ({ syscall, verdict: 'kill' })),
  ];
  return assembleFilter({ architecture, rules, otherwise: refused });
}

const refused: Verdict = { errno: EPERM };

function equal(argument: Test['argument'], equals: number): Test {
  return { argument, equals };
}

function masked(argument: Test['argument'], mask: number, equals: number): Test {
  return { argument, mask, equals };
}

function anyOf(argument: Test['argument'], values: readonly number[]): Test[][] {
  return values.map((value) => [equal(argument, value)]);
}

function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}
