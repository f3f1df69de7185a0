/** From what was seen of a strike to what it counts as. */
import type { Attack } from './attack.ts';
import type { CanaryReport } from './canary.ts';
import type { StrikeAnswer } from './strike.ts';

export type Verdict = 'contained' | 'cell replaced' | 'FAILED';

export interface Strike {
  readonly answer: StrikeAnswer;
  /** Cells that ended. */
  readonly exits: number;
  /** Beyond its limit: CPU time of an invocation, or wall time until its cell had ended. */
  readonly overranMs: number;
  /** All processes came to rest after it. */
  readonly isQuiet: boolean;
  /** Why the platform counts as harmed. */
  readonly harm: string | undefined;
  readonly peakBytes: number;
  /** Of its invocations, with their exceptions. */
  readonly outcomes: readonly string[];
  readonly canary: CanaryReport;
}

export interface AttackResult {
  readonly name: string;
  readonly verdict: Verdict;
  /** Why it failed. */
  readonly reason: string | undefined;
  /** One; two when the first cost a cell. */
  readonly strikes: readonly Strike[];
}

export function judge(attack: Attack, strikes: readonly Strike[]): AttackResult {
  const reasons = strikes.map((strike) => failureOf(attack, strike)).filter((reason) => reason !== undefined);
  const [reason] = reasons;
  const verdict = strikes.some(({ exits }) => exits > 0) ? 'cell replaced' : 'contained';
  return { name: attack.name, verdict: reason === undefined ? verdict : 'FAILED', reason, strikes };
}

function failureOf({ must, trigger }: Attack, { answer, exits, isQuiet, harm }: Strike): string | undefined {
  if (harm !== undefined) return harm;
  if (!isQuiet) return 'something goes on computing';
  const isAnswered = answer.isWhole && answer.status >= 200 && answer.status < 500;
  const got = `answered ${answer.status} ${JSON.stringify(answer.text.slice(0, 120))}`;
  if (must === 'stop') {
    // The upload of what never ends is refused.
    const wasRefused = trigger === 'upload' && answer.status >= 400;
    // A scheduled event is answered with its outcome.
    const wasStopped = trigger === 'scheduled' && /"outcome":"(?!ok")/.test(answer.text);
    return isAnswered && !wasRefused && !wasStopped ? `not stopped: ${got}` : undefined;
  }
  if (must === 'refuse') {
    const isRefused = trigger === 'upload' ? answer.status >= 400 : answer.text.startsWith('refused');
    return isRefused || exits > 0 ? undefined : `not refused: ${got}`;
  }
  return undefined;
}
