/**
 * Keeps CPU limits: an entry into an isolate that has used its budget of CPU time is ended, within about a
 * millisecond, and nothing else is.
 *
 * Why not isolated-vm's own `timeout`: it costs 3-20 µs an entry and counts wall time, so that a busy machine kills
 * innocent requests. Here the entering side only writes three numbers to shared memory. A thread of its own
 * (watchdog-thread.ts) looks every millisecond at the CPU clock of whoever runs, and condemns the entry that is over its
 * budget; the warden (warden.ts) then disposes its isolate.
 *
 * A *runner* is something that executes entries one after the other: the thread that enters inline, or the lane of the
 * pool (lane.ts).
 */
import { randomFill } from 'node:crypto';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { createCpuClock, currentThreadId, listThreadIds, wallUs } from './cpu-clock.ts';
import { LaneClock } from './lane-clock.ts';
import type { Occupants } from './occupants.ts';
import { Warden } from './warden.ts';
import { estimateCpuUs } from './unseen-time.ts';
import { INLINE, LANE, RUNNER, RUNNERS, type Runner, WORDS } from './watch-words.ts';

export interface WatchdogOptions {
  /**
   * What to do about an entry that does not end although its isolate was disposed (some built-ins of V8 cannot be
   * interrupted): `exit` ends this process at once, from the watchdog's thread; `ignore` leaves it.
   */
  readonly onStuck: 'exit' | 'ignore';
  readonly occupants: Occupants;
}

const SEQUENCE_MAX = 0x3fffffff;
const READ_EVERY_US = 500; // this thread's clock, while entries are short: a read takes 1 µs
const SHORT_US = 1_000; // less than the scheduler gives a thread at a time: what is shorter was hardly interrupted

export class Watchdog {
  /** CPU time in µs of the entry that ended last: of its thread, and of this one where it worked for an entry of the lane. */
  usedUs = 0;
  readonly #words: Int32Array;
  readonly #thread: Worker;
  readonly #warden: Warden;
  readonly #doubles: Float64Array;
  readonly #inlineClock = createCpuClock(currentThreadId());
  readonly #laneClock: LaneClock;
  /** Per runner: when its entry began. */
  readonly #startedAtUs = new Float64Array(RUNNERS.length);
  /** What this thread's clock said when it was read last, when that was, and whether it was as the entry inline began. */
  #readUs = 0;
  #readAtUs = Number.NEGATIVE_INFINITY;
  #isExact = false;
  /** Of the entry on the lane: CPU time that this thread has worked for it. */
  #chargedUs = 0;
  #sequence = 0;

  private constructor(words: Int32Array, thread: Worker, warden: Warden, laneClock: LaneClock) {
    this.#laneClock = laneClock;
    this.#words = words;
    this.#doubles = new Float64Array(words.buffer);
    this.#thread = thread;
    this.#warden = warden;
  }

  static async start(options: WatchdogOptions): Promise<Watchdog> {
    const words = new Int32Array(new SharedArrayBuffer(4 * (WORDS.runners + WORDS.runnerStride * RUNNERS.length)));
    const warden = await Warden.start(words.buffer);
    await startThreadsOfLibuv();
    const otherThreadIds = listThreadIds(); // the warden's is among them now, and the lane's not yet
    const thread = new Worker(new URL('./watchdog-thread.ts', import.meta.url), {
      workerData: {
        shared: words.buffer,
        inlineThreadId: currentThreadId(),
        otherThreadIds,
        onStuck: options.onStuck,
        occupants: options.occupants.shared,
      },
    });
    thread.unref();
    await once(thread, 'message');
    // Once more: now with the watchdog's own.
    return new Watchdog(words, thread, warden, new LaneClock(listThreadIds()));
  }

  /** For the last words of a process that is beyond help: which exchange it began last. */
  noteBegun(exchange: number): void {
    this.#words[WORDS.begun] = exchange;
  }

  /** The warden, with which every isolate must be registered before it is entered. */
  get warden(): Warden {
    return this.#warden;
  }

  /** CPU time in µs of the entry on the lane so far; 0 when there is none. */
  get laneUs(): number {
    if (this.#words[WORDS.runners + WORDS.runnerStride * LANE + RUNNER.sequence] === 0) return 0;
    const passedUs = wallUs() - (this.#startedAtUs[LANE] ?? 0);
    return passedUs < SHORT_US ? 0 : this.#laneClock.used(passedUs) + this.#chargedUs;
  }

  /** Whether this thread is in an isolate. */
  get isInside(): boolean {
    return this.#words[WORDS.runners + WORDS.runnerStride * INLINE + RUNNER.sequence] !== 0;
  }

  /**
   * Starts the budget of one entry on `runner`. Returns the entry's number, for `end`. `isLong`: it will probably take so
   * long that its CPU time is to be read from the clock.
   */
  begin(runner: Runner, slot: number, budgetUs: number, isLong = false): number {
    const words = this.#words;
    const at = WORDS.runners + WORDS.runnerStride * runner;
    const sequence = (this.#sequence = this.#sequence >= SEQUENCE_MAX ? 1 : this.#sequence + 1);
    words[at + RUNNER.slot] = slot;
    words[at + RUNNER.budgetUs] = budgetUs;
    let startedAtUs = wallUs();
    if (runner === LANE) {
      this.#laneClock.start();
      this.#chargedUs = 0;
      startedAtUs = wallUs();
    } else {
      this.#isExact = isLong || startedAtUs - this.#readAtUs >= READ_EVERY_US;
      if (this.#isExact) {
        this.#readUs = this.#inlineClock();
        startedAtUs = this.#readAtUs = wallUs();
      }
    }
    this.#startedAtUs[runner] = startedAtUs;
    Atomics.store(words, at + RUNNER.sequence, sequence);
    // Ordered after the store above, and the watchdog looks at the sequences once more after it has set `asleep`:
    // one of the two sees the other, so no entry runs unwatched.
    if (Atomics.load(words, WORDS.asleep) === 1) {
      Atomics.store(words, WORDS.asleep, 0);
      Atomics.notify(words, WORDS.asleep);
    }
    return sequence;
  }

  /**
   * The same, inline, in an isolate that must not be disposed of: when the entry goes on past its budget, or takes 10 s more
   * of wall time, nothing is left but to end the process, which is what `onStuck` says.
   */
  beginKept(slot: number, budgetUs: number): number {
    return this.begin(INLINE, ~slot, budgetUs, true);
  }

  /**
   * Ends the entry. Returns whether it kept its budget; if not, its isolate is being disposed unless it is kept. The compare-and-swap
   * decides it once: an entry that has ended can no longer be condemned, so the next one is never hit in its place.
   */
  end(runner: Runner, sequence: number): boolean {
    const at = WORDS.runners + WORDS.runnerStride * runner + RUNNER.sequence;
    this.usedUs = this.#measure(runner, sequence);
    if (Atomics.compareExchange(this.#words, at, sequence, 0) === sequence) return true;
    Atomics.store(this.#words, at, 0);
    return false;
  }

  /**
   * Does what the entry on the lane asks of this thread. It counts as the entry's own CPU time, and is taken off its
   * budget: the watchdog looks at the pool's thread alone. (An entry inline is seen to do it itself.)
   */
  chargeLane<T>(work: () => T): T {
    const before = this.#inlineClock();
    try {
      return work();
    } finally {
      const usedUs = Math.ceil(this.#inlineClock() - before);
      this.#chargedUs += usedUs;
      Atomics.sub(this.#words, WORDS.runners + WORDS.runnerStride * LANE + RUNNER.budgetUs, usedUs);
    }
  }

  async close(): Promise<void> {
    this.#warden.close();
    await this.#thread.terminate();
  }

  /**
   * Not by isolated-vm's own `cpuTime`: as published, it is the wall time for which an isolate was held, so that on a busy
   * machine it counts what others have used.
   */
  #measure(runner: Runner, sequence: number): number {
    const now = wallUs();
    const passedUs = now - (this.#startedAtUs[runner] ?? now);
    if (passedUs < SHORT_US) return passedUs;
    if (runner === LANE) return this.#laneClock.used(passedUs) + this.#chargedUs;
    // The clock takes a microsecond to read, so it is not read as each entry begins. What it has counted since it was read
    // last is the most that it can be: half a millisecond too much.
    const readUs = this.#inlineClock();
    const mostUs = Math.min(passedUs, readUs - this.#readUs);
    this.#readUs = readUs;
    this.#readAtUs = now;
    if (this.#isExact) return mostUs;
    // The watchdog may have read it since.
    const at = WORDS.runners + WORDS.runnerStride * runner;
    if (Atomics.load(this.#words, at + RUNNER.seen) !== sequence) return mostUs;
    const [baseUs = 0, seenAtUs = 0] = this.#doubles.subarray((at + RUNNER.baseUs) / 2);
    return estimateCpuUs({ passedUs, mostUs, seenUs: now - seenAtUs, seenCpuUs: readUs - baseUs });
  }
}

/** All of its pool begins with the first task. A thread that came later might be taken for one of isolated-vm's. */
async function startThreadsOfLibuv(): Promise<void> {
  await promisify(randomFill)(new Uint8Array(1));
}
