/**
 * What the watchdog of a cell writes to stderr: which entry runs long, and which one cannot be ended. The thread that has
 * the channel may be stuck, so that this is all that tells whose entry it was when the process is gone.
 */
import type { VersionId } from '../ids.ts';

const PREFIX = '{"watch":';
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export interface Suspect {
  /** Whose entry was running long when the process ended. */
  readonly version: VersionId | undefined;
  /** Exchanges with the gateway above this id had not been begun; undefined: it is not known. */
  readonly begun: number | undefined;
}

export class LastWords {
  /** By runner of the engine. */
  readonly #long = new Map<unknown, Suspect>();
  #stuck: Suspect | undefined;

  /** False for a line that is none of the watchdog's. A cell may have been taken over: nothing is believed but its form. */
  take(line: string): boolean {
    if (!line.startsWith(PREFIX)) return false;
    let words: Record<string, unknown>;
    try {
      words = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return false;
    }
    const { watch, runner } = words;
    if (watch === 'long') this.#long.set(runner === 0 ? 0 : 1, toSuspect(words));
    else if (watch === 'short') this.#long.delete(runner === 0 ? 0 : 1);
    else if (watch === 'stuck') this.#stuck = toSuspect(words);
    return true;
  }

  /** An isolate of this version has got out of control. */
  noteCatastrophe(version: unknown): void {
    this.#stuck ??= toSuspect({ version });
  }

  /** It has said that it ends because of an entry. */
  get hasGivenUp(): boolean {
    return this.#stuck !== undefined;
  }

  /** Whose entry it will have been. */
  get suspect(): Suspect | undefined {
    return this.#stuck ?? this.#long.get(0) ?? this.#long.get(1);
  }
}

function toSuspect({ version, begun }: Record<string, unknown>): Suspect {
  return {
    version: typeof version === 'string' && UUID.test(version) ? (version as VersionId) : undefined,
    begun: Number.isSafeInteger(begun) ? (begun as number) : undefined,
  };
}
