/** System calls by name, and their numbers on the two machines that cells are confined on. */

export type Architecture = 'arm64' | 'x64';

/** AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 of linux/audit.h: what the kernel says a call was made as. */
export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** Name, number on x86-64 (asm/unistd_64.h), number on arm64 (asm-generic/unistd.h); `-` where there is no such call. */
const TABLE = `
  read 0 63, write 1 64, readv 19 65, writev 20 66, pread64 17 67, close 3 57, fstat 5 80, newfstatat 262 79,
  statx 332 291, stat 4 -, lstat 6 -, lseek 8 62, mmap 9 222, mprotect 10 226, munmap 11 215, brk 12 214,
  mremap 25 216, madvise 28 233, membarrier 324 283, rt_sigaction 13 134, rt_sigprocmask 14 135,
  rt_sigreturn 15 139, rt_sigpending 127 136, sigaltstack 131 132, ioctl 16 29, access 21 -, faccessat 269 48,
  faccessat2 439 439, readlink 89 -, readlinkat 267 78, getcwd 79 17, getdents64 217 61, open 2 -, openat 257 56,
  dup 32 23, dup2 33 -, dup3 292 24, pipe 22 -, pipe2 293 59, epoll_create1 291 20, epoll_ctl 233 21,
  epoll_wait 232 -, epoll_pwait 281 22, epoll_pwait2 441 441, eventfd2 290 19, poll 7 -, ppoll 271 73,
  futex 202 98, set_robust_list 273 99, set_tid_address 218 96, rseq 334 293, clone 56 220, clone3 435 435,
  exit 60 93, exit_group 231 94, getpid 39 172, gettid 186 178, getppid 110 173, getuid 102 174, geteuid 107 175,
  getgid 104 176, getegid 108 177, tgkill 234 131, sched_yield 24 124, sched_getaffinity 204 123,
  sched_getparam 143 121, sched_getscheduler 145 120, setpriority 141 140, getpriority 140 141,
  clock_gettime 228 113, clock_getres 229 114, clock_nanosleep 230 115, nanosleep 35 101, gettimeofday 96 169,
  time 201 -, restart_syscall 219 128, getrandom 318 278, getrusage 98 165, times 100 153, sysinfo 99 179,
  uname 63 160, prlimit64 302 261, getrlimit 97 163, prctl 157 167, arch_prctl 158 -, fcntl 72 25,
  getsockname 51 204, getpeername 52 205, getsockopt 55 209, setsockopt 54 208, shutdown 48 210, execve 59 221,
  seccomp 317 277, capget 125 90, getcpu 309 168, mincore 27 232, io_uring_setup 425 425, io_uring_enter 426 426,
  io_uring_register 427 427, execveat 322 281, openat2 437 437, creat 85 -, chdir 80 49, ptrace 101 117,
  process_vm_readv 310 270, process_vm_writev 311 271, init_module 175 105, finit_module 313 273,
  delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294, bpf 321 280, userfaultfd 323 282,
  perf_event_open 298 241, mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, move_mount 429 429,
  open_tree 428 428, fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442,
  setns 308 268, unshare 272 97, keyctl 250 219, add_key 248 217, request_key 249 218, open_by_handle_at 304 265,
  name_to_handle_at 303 264, setuid 105 146, setgid 106 144, setreuid 113 145, setregid 114 143, setresuid 117 147,
  setresgid 119 149, setgroups 116 159, setfsuid 122 151, setfsgid 123 152, capset 126 91, acct 163 89,
  swapon 167 224, swapoff 168 225, reboot 169 142, sethostname 170 161, setdomainname 171 162,
  settimeofday 164 170, clock_settime 227 112, clock_adjtime 305 266, adjtimex 159 171, iopl 172 -, ioperm 173 -,
  quotactl 179 60, quotactl_fd 443 443, syslog 103 116, vhangup 153 58, lookup_dcookie 212 18, nfsservctl 180 42,
  modify_ldt 154 -, kcmp 312 272, pidfd_getfd 438 438, pidfd_send_signal 424 424, process_madvise 440 440,
  process_mrelease 448 448, migrate_pages 256 238, move_pages 279 239, mbind 237 235, set_mempolicy 238 237,
  fanotify_init 300 262, fanotify_mark 301 263, mknod 133 -, mknodat 259 33, memfd_secret 447 447, uselib 134 -,
  ustat 136 -, sysfs 139 -, landlock_create_ruleset 444 444, kill 62 129, tkill 200 130, socket 41 198,
  connect 42 203, bind 49 200, listen 50 201, accept 43 202, accept4 288 242, socketpair 53 199, sendto 44 206,
  sendmsg 46 211, sendmmsg 307 269, recvfrom 45 207, recvmsg 47 212, recvmmsg 299 243, fork 57 -, vfork 58 -,
  memfd_create 319 279
`;

const NUMBERS = new Map<string, Readonly<Record<Architecture, number | undefined>>>(
  TABLE.split(',').map((row) => {
    const [name = '', x64 = '-', arm64 = '-'] = row.trim().split(' ');
    return [name, { x64: toNumber(x64), arm64: toNumber(arm64) }];
  }),
);

/** Undefined where the machine has no call of this name. Throws for a name that is in no table. */
export function syscallNumber(name: string, architecture: Architecture): number | undefined {
  const numbers = NUMBERS.get(name);
  if (numbers === undefined) throw new Error(`Cannot filter ${name}: its number is not in the table`);
  return numbers[architecture];
}

export function isArchitecture(value: string): value is Architecture {
  return Object.hasOwn(AUDIT_ARCH, value);
}

function toNumber(text: string): number | undefined {
  return text === '-' ? undefined : Number(text);
}
