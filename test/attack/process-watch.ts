/** CPU time and memory of all processes of a platform, looked at from outside, through /proc. */
import { readdirSync, readFileSync } from 'node:fs';

const TICK_MS = 10; // of the clock that /proc counts CPU time by, on Linux everywhere
const PAGE_BYTES = 4_096;
const LOOK_MS = 25;
const WINDOW_MS = 150;
const BUSY_MS = 60; // in a window: canaries, heartbeats and new spares take less

interface Look {
  readonly at: number;
  /** By process. */
  readonly cpuMs: ReadonlyMap<number, number>;
}

export class ProcessWatch implements Disposable {
  readonly #root: number;
  readonly #timer: NodeJS.Timeout;
  #looks: Look[] = [];
  #peakBytes = 0;

  /** `root`: the supervisor; all others are its children and theirs. */
  constructor(root: number) {
    this.#root = root;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** The most memory that one process had since the last call, in bytes. */
  takePeak(): number {
    const peak = this.#peakBytes;
    this.#peakBytes = 0;
    return peak;
  }

  /** Resolves to whether every process came to rest within `patienceMs`: nothing goes on computing. */
  async quiet(patienceMs: number): Promise<boolean> {
    const since = performance.now();
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      const now = this.#looks.at(-1);
      const before = this.#looks.findLast(({ at }) => now !== undefined && now.at - at >= WINDOW_MS);
      if (now !== undefined && before !== undefined && before.at >= since && isQuiet(before, now)) return true;
      if (performance.now() - since > patienceMs) return false;
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const cpuMs = new Map<number, number>();
    for (const pid of descendants(this.#root)) {
      try {
        // The name in parentheses may have spaces in it.
        const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
        cpuMs.set(pid, (Number(fields[11]) + Number(fields[12])) * TICK_MS);
        const resident = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
        this.#peakBytes = Math.max(this.#peakBytes, resident);
      } catch {
        // It has ended.
      }
    }
    this.#looks.push({ at: performance.now(), cpuMs });
    if (this.#looks.length > 100) this.#looks = this.#looks.slice(-50);
  }
}

function isQuiet(before: Look, now: Look): boolean {
  // A process that is new is starting.
  return [...now.cpuMs].every(([pid, cpuMs]) => cpuMs - (before.cpuMs.get(pid) ?? -Infinity) < BUSY_MS);
}

function descendants(pid: number): number[] {
  try {
    const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return [pid, ...children.flatMap(descendants)];
  } catch {
    return [];
  }
}
