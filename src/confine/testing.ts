/** An interpreter of classic BPF as seccomp uses it: what the kernel would say, for tests. */
import { AUDIT_ARCH, type Architecture, syscallNumber } from './syscalls.ts';

interface Call {
  readonly syscall: number | string;
  readonly args?: readonly (bigint | number)[];
  /** As what the call is made; the filter's own architecture unless given. */
  readonly audit?: number;
}

/** `allow`, `kill` or `errno N`. Throws for a program that the kernel would not take. */
export function runFilter(filter: Buffer, architecture: Architecture, call: Call): string {
  return run(filter, architecture, call).verdict;
}

/**
 * Whether the kernel allows the call without running the filter: it notes as a filter is loaded which numbers are allowed
 * whatever else is asked (`seccomp_is_const_allow` of Linux 5.11 and later).
 */
export function isInBitmap(filter: Buffer, architecture: Architecture, syscall: string): boolean {
  const { verdict, hasLookedFurther } = run(filter, architecture, { syscall });
  return verdict === 'allow' && !hasLookedFurther;
}

function run(
  filter: Buffer,
  architecture: Architecture,
  { syscall, args = [], audit = AUDIT_ARCH[architecture] }: Call,
): { readonly verdict: string; readonly hasLookedFurther: boolean } {
  const number = typeof syscall === 'number' ? syscall : syscallNumber(syscall, architecture);
  if (number === undefined) return { verdict: 'none', hasLookedFurther: false };
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number, 0);
  data.writeUInt32LE(audit, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), 16 + 8 * index);
  let accumulator = 0;
  let hasLookedFurther = false; // than at the number and the architecture
  for (let at = 0; at < filter.length; at += 8) {
    const code = filter.readUInt16LE(at);
    const k = filter.readUInt32LE(at + 4);
    const jump = (taken: boolean): void => void (at += 8 * filter.readUInt8(at + (taken ? 2 : 3)));
    if (code === 0x20) {
      accumulator = data.readUInt32LE(k);
      hasLookedFurther ||= k > 4;
    } else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x15) jump(accumulator === k);
    else if (code === 0x45) jump((accumulator & k) !== 0);
    else if (code === 0x06) return { verdict: toVerdict(k), hasLookedFurther };
    else throw new Error(`Cannot run the filter: instruction ${at / 8} has code ${code}`);
  }
  throw new Error('Cannot run the filter: it ends without a verdict');
}

function toVerdict(k: number): string {
  if (k === 0x7fff0000) return 'allow';
  if (k === 0x80000000) return 'kill';
  return `errno ${k & 0xffff}`;
}
