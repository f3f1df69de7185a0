/**
 * Seccomp filters as programs of classic BPF: rules in, bytes out. Nothing here knows what a cell needs; that is
 * policy.ts. The kernel runs such a program for each system call of the process, over a `struct seccomp_data`:
 * number, architecture, instruction pointer, six arguments. It knows the calls that are always allowed without running it.
 */
import { AUDIT_ARCH, type Architecture, syscallNumber } from './syscalls.ts';

/** `kill` ends the process with SIGSYS: for what nobody calls by mistake. */
export type Verdict = 'allow' | 'kill' | { readonly errno: number };

/** One argument, compared in its lower 32 bits, which is all that the kernel looks at of an `int`. */
export interface Test {
  readonly argument: 0 | 1 | 2 | 3 | 4 | 5;
  /** Compares these bits alone. */
  readonly mask?: number;
  readonly equals: number;
  /** Compares the upper 32 bits: for pointers. */
  readonly high?: boolean;
}

export interface Rule {
  readonly syscall: string;
  readonly verdict: Verdict;
  /** Allowed when all tests of one of these lists hold; otherwise `verdict`. */
  readonly allowIf?: readonly (readonly Test[])[];
}

export interface FilterOptions {
  readonly architecture: Architecture;
  readonly rules: readonly Rule[];
  /** For every call without a rule. */
  readonly otherwise: Verdict;
}

interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly ifTrue?: number;
  readonly ifFalse?: number;
}

// linux/bpf_common.h, linux/seccomp.h
const LOAD = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const IF_EQUAL = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const IF_SET = 0x45; // BPF_JMP | BPF_JSET | BPF_K
const RETURN = 0x06; // BPF_RET | BPF_K
const RET_KILL_PROCESS = 0x80000000;
const RET_ERRNO = 0x00050000;
const RET_ALLOW = 0x7fff0000;
const AT_NUMBER = 0;
const AT_ARCHITECTURE = 4;
const AT_ARGUMENTS = 16;
const X32_BIT = 0x40000000; // x86-64 also takes calls of the x32 ABI, by other numbers: a way round any list
const MAX_INSTRUCTIONS = 4_096; // BPF_MAXINSNS
const INSTRUCTION_BYTES = 8; // struct sock_filter
const MAX_JUMP = 255;

/** The program, as an array of `struct sock_filter`. Both machines are little endian. */
export function assembleFilter({ architecture, rules, otherwise }: FilterOptions): Buffer {
  const program: Instruction[] = [
    { code: LOAD, k: AT_ARCHITECTURE },
    { code: IF_EQUAL, k: AUDIT_ARCH[architecture], ifTrue: 1 },
    toReturn('kill'),
    { code: LOAD, k: AT_NUMBER },
  ];
  if (architecture === 'x64') program.push({ code: IF_SET, k: X32_BIT, ifFalse: 1 }, toReturn('kill'));
  for (const rule of rules) {
    const number = syscallNumber(rule.syscall, architecture);
    if (number === undefined) continue;
    const body = [...(rule.allowIf ?? []).flatMap(toAlternative), toReturn(rule.verdict)];
    if (body.length > MAX_JUMP) throw new Error(`Cannot filter ${rule.syscall}: the rule is too long`);
    // The number is still loaded behind the body: only who is let into the body loads anything else.
    program.push({ code: IF_EQUAL, k: number, ifFalse: body.length }, ...body);
  }
  program.push(toReturn(otherwise));
  if (program.length > MAX_INSTRUCTIONS) throw new Error(`Cannot filter: ${program.length} instructions are too many`);
  return encode(program);
}

/** Allows when all tests hold; otherwise falls through to what follows. */
function toAlternative(tests: readonly Test[]): Instruction[] {
  const blocks = tests.map(({ argument, mask, equals, high }) => [
    { code: LOAD, k: AT_ARGUMENTS + 8 * argument + (high === true ? 4 : 0) },
    ...(mask === undefined ? [] : [{ code: AND, k: mask }]),
    { code: IF_EQUAL, k: equals },
  ]);
  const instructions: Instruction[] = [...blocks.flat(), toReturn('allow')];
  return instructions.map((instruction, at) =>
    instruction.code === IF_EQUAL ? { ...instruction, ifFalse: instructions.length - at - 1 } : instruction,
  );
}

function toReturn(verdict: Verdict): Instruction {
  if (verdict === 'allow') return { code: RETURN, k: RET_ALLOW };
  return { code: RETURN, k: verdict === 'kill' ? RET_KILL_PROCESS : RET_ERRNO | verdict.errno };
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
  for (const [index, { code, k, ifTrue = 0, ifFalse = 0 }] of program.entries()) {
    const at = index * INSTRUCTION_BYTES;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(ifTrue, at + 2);
    bytes.writeUInt8(ifFalse, at + 3);
    bytes.writeUInt32LE(k >>> 0, at + 4);
  }
  return bytes;
}
