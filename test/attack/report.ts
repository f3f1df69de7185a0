/** What a run of the battery prints: a line for each attack, and how it stands with the goals. */
import type { AttackResult, Strike } from './verdict.ts';

const NAME_CHARS = 38;
const MIB = 1024 * 1024;
const NOTABLE_BYTES = 400 * MIB; // of one process, at most
const GOAL_CONTAINED = 0.85;
const GOAL_WAIT_MS = 1_000;

export interface Summary {
  readonly attacks: number;
  readonly contained: number;
  readonly replaced: number;
  readonly failed: number;
  /** Requests of canaries: at first strikes; at second ones, of Workers that had ended a cell before. */
  readonly lost: readonly [first: number, second: number];
  /** Lost although no cell ended. */
  readonly lostForNothing: number;
  /** Attacks at whose first and second strikes a canary waited longer than the goal. */
  readonly waits: readonly [first: number, second: number];
  readonly longestMs: readonly [first: number, second: number];
  readonly longestOverrunMs: number;
}

export const HEAD = `${'attack'.padEnd(NAME_CHARS)}  verdict        overran  lost  longest wait  again: lost  wait`;

export function toLine({ name, verdict, reason, strikes }: AttackResult): string {
  const [first, second] = strikes;
  const overran = Math.max(...strikes.map(({ overranMs }) => overranMs));
  const peak = Math.max(...strikes.map(({ peakBytes }) => peakBytes));
  return [
    name.padEnd(NAME_CHARS),
    verdict.padEnd(13),
    ms(overran).padStart(7),
    String(first?.canary.lost ?? '').padStart(4),
    ms(first?.canary.longestMs).padStart(12),
    String(second?.canary.lost ?? '').padStart(11),
    ms(second?.canary.longestMs).padStart(4),
    peak > NOTABLE_BYTES ? `  (${Math.round(peak / MIB)} MiB)` : '',
    reason === undefined ? '' : `  ${reason}`,
  ]
    .join('  ')
    .trimEnd();
}

export function summarize(results: readonly AttackResult[]): Summary {
  const count = (verdict: AttackResult['verdict']) => results.filter((result) => result.verdict === verdict).length;
  const at = (index: number): Strike[] => results.flatMap(({ strikes }) => strikes.slice(index, index + 1));
  const both = <T>(of: (strikes: readonly Strike[]) => T): [T, T] => [of(at(0)), of(at(1))];
  return {
    attacks: results.length,
    contained: count('contained'),
    replaced: count('cell replaced'),
    failed: count('FAILED'),
    lost: both((strikes) => sum(strikes.map(({ canary }) => canary.lost))),
    lostForNothing: sum(results.flatMap(({ strikes }) => strikes.map(({ canary }) => canary.lostForNothing))),
    waits: both((strikes) => strikes.filter(({ canary }) => canary.longestMs > GOAL_WAIT_MS).length),
    longestMs: both((strikes) => Math.max(0, ...strikes.map(({ canary }) => canary.longestMs))),
    longestOverrunMs: Math.max(0, ...results.flatMap(({ strikes }) => strikes.map(({ overranMs }) => overranMs))),
  };
}

/** Lines, and whether all goals are met. */
export function toGoals(summary: Summary): { readonly lines: string[]; readonly isMet: boolean } {
  const { attacks, contained, replaced, failed, lost, lostForNothing, waits, longestMs } = summary;
  const share = (part: number): string => `${((100 * part) / Math.max(attacks, 1)).toFixed(1)} %`;
  const goals: [isMet: boolean, text: string][] = [
    [failed === 0, `${failed} of ${attacks} failed (goal: none)`],
    [
      contained >= GOAL_CONTAINED * attacks,
      `${share(contained)} contained, ${share(replaced)} cost a cell (goal: at least ${GOAL_CONTAINED * 100} % contained)`,
    ],
    [
      lostForNothing === 0,
      `the canaries lost ${lost[0]} requests at first strikes, ${lostForNothing} of them while no cell ended (goal: those in flight in a cell that ends)`,
    ],
    [
      waits[0] + waits[1] === 0,
      `they waited ${ms(Math.max(...longestMs))} at most, longer than ${ms(GOAL_WAIT_MS)} at ${waits[0] + waits[1]} attacks (goal: at none)`,
    ],
    [lost[1] === 0, `they lost ${lost[1]} requests at second strikes, and waited ${ms(longestMs[1])} (goal: no loss)`],
  ];
  return {
    lines: goals.map(([isMet, text]) => `${isMet ? '✔' : '✖'} ${text}`),
    isMet: goals.every(([isMet]) => isMet),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function ms(value: number | undefined): string {
  return value === undefined ? '' : `${Math.round(value)} ms`;
}
