/**
 * Requests whose cell has ended before it answered. The supervisor knows which of them the cell had begun: the others are
 * tried again, and their clients notice nothing.
 */
import type { CellLost } from './protocol.ts';

const VERDICT_MS = 500; // the end of a process is known within a few ms of the end of its link

export interface LostRequest {
  /** Id of its exchange with the cell. */
  readonly exchangeId: number;
  /** The cell had not begun it. */
  again(): void;
  /** It may have had. */
  giveUp(): void;
}

export class LostRequests {
  readonly #byCell = new Map<string, LostRequest[]>();
  /** Those that were told before the link's end was seen. */
  readonly #verdicts = new Map<string, CellLost>();
  readonly #timers = new Set<NodeJS.Timeout>();

  /** Its cell's link has ended. */
  hold(cellId: string, lost: LostRequest): void {
    const verdict = this.#verdicts.get(cellId);
    if (verdict !== undefined) return judge(lost, verdict);
    const held = this.#byCell.get(cellId);
    if (held !== undefined) {
      held.push(lost);
      return;
    }
    this.#byCell.set(cellId, [lost]);
    this.#later(() => this.decide({ id: cellId }));
  }

  /** The supervisor has seen the end of the cell's process. */
  decide(verdict: CellLost): void {
    const held = this.#byCell.get(verdict.id) ?? [];
    this.#byCell.delete(verdict.id);
    for (const lost of held) judge(lost, verdict);
    if (held.length > 0) return;
    this.#verdicts.set(verdict.id, verdict);
    this.#later(() => this.forget(verdict.id));
  }

  /** The cell is another from here on. */
  forget(cellId: string): void {
    this.#verdicts.delete(cellId);
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #later(act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, VERDICT_MS);
    this.#timers.add(timer);
  }
}

function judge(lost: LostRequest, { begun }: CellLost): void {
  if (begun !== undefined && lost.exchangeId > begun) lost.again();
  else lost.giveUp();
}
