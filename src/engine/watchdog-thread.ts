/** The watchdog's thread: see watchdog.ts. Runs nothing else, and allocates nothing while it watches. */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { createCpuClock, currentThreadId, endProcess, setThreadNice, wallUs } from './cpu-clock.ts';
import type { CpuClock } from './cpu-clock.ts';
import { LaneClock } from './lane-clock.ts';
import { Occupants } from './occupants.ts';
import { INLINE, RUNNER, RUNNERS, type Runner, WORDS } from './watch-words.ts';

interface Data {
  readonly shared: SharedArrayBuffer;
  readonly inlineThreadId: number;
  readonly otherThreadIds: readonly number[];
  readonly onStuck: 'exit' | 'ignore';
  readonly occupants: SharedArrayBuffer;
}

const STDERR = 2;
const TICK_MS = 1;
const IDLE_TICKS = 50; // ticks without a running entry before it sleeps: 50 ms of quiet
const STUCK_MS = 250; // a disposed isolate ends within a few ms unless it is in a built-in that cannot be interrupted
const STUCK_EXIT_CODE = 137; // as if by SIGKILL
const LONG_US = 100_000; // an entry this long is told of: if the process ends, it may have been the one
const STUCK_CPU_US = 150_000; // and one that is really stuck goes on using CPU: else its end is only not yet noticed
// Of wall time, over its budget, for an entry in an isolate that is kept: isolated-vm's timeout puts a thread that it could
// not stop within 5 s to sleep for good, and on a busy machine it has not used much CPU until then.
const OVERDUE_US = 10_000_000;

const data = workerData as Data;
const words = new Int32Array(data.shared);
const doubles = new Float64Array(data.shared);
const occupants = new Occupants(data.occupants);
const inlineClock: CpuClock = createCpuClock(data.inlineThreadId);
const laneClock = new LaneClock([...data.otherThreadIds, currentThreadId()]);

// Best effort: a watchdog that must wait for the CPU ends loops late. Needs privileges; without, the limit is only a
// little less sharp on an overloaded machine.
setThreadNice(currentThreadId(), -15);

/** Per runner: the entry last seen, the wall time when it was first seen, and wall and CPU time when it was condemned. */
const seen = new Int32Array(RUNNERS.length);
const startedAt = new Float64Array(RUNNERS.length);
const condemnedAt = new Float64Array(RUNNERS.length);
const condemnedUs = new Float64Array(RUNNERS.length);
/** Per runner: the entry that was told of as long, or 0. */
const toldOf = new Int32Array(RUNNERS.length);

parentPort?.postMessage('watching');

let inlineBaseUs = 0;
let idleTicks = 0;
for (;;) {
  const waitMs = tick();
  if (waitMs >= 0) {
    idleTicks = 0;
    Atomics.wait(words, WORDS.tick, 0, waitMs);
    continue;
  }
  if (++idleTicks < IDLE_TICKS) {
    Atomics.wait(words, WORDS.tick, 0, TICK_MS);
    continue;
  }
  Atomics.store(words, WORDS.asleep, 1);
  if (!anyRunning()) Atomics.wait(words, WORDS.asleep, 1);
  Atomics.store(words, WORDS.asleep, 0);
  idleTicks = 0;
}

/** Looks at every runner once. Returns how long to wait until the next look, in ms, or -1 when nothing runs. */
function tick(): number {
  let waitMs = -1;
  for (const runner of RUNNERS) {
    const at = WORDS.runners + WORDS.runnerStride * runner;
    const sequence = Atomics.load(words, at + RUNNER.sequence);
    if (toldOf[runner] !== 0 && Math.abs(sequence) !== toldOf[runner]) tellShort(runner);
    if (sequence === 0) {
      seen[runner] = 0;
      continue;
    }
    if (sequence < 0) {
      endStuck(runner);
      waitMs = TICK_MS;
      continue;
    }
    const usedUs = seen[runner] === sequence ? used(runner) : start(runner, sequence);
    const budgetUs = words[at + RUNNER.budgetUs] ?? 0;
    if (usedUs >= LONG_US && toldOf[runner] === 0) tellLong(runner, sequence);
    if (usedUs >= budgetUs || isOverdue(runner)) {
      condemn(at, sequence);
      condemnedAt[runner] = performance.now();
      condemnedUs[runner] = usedUs;
      waitMs = TICK_MS;
    } else {
      const left = Math.min(TICK_MS, Math.max((budgetUs - usedUs) / 1e3, 0.05));
      waitMs = waitMs < 0 ? left : Math.min(waitMs, left);
    }
  }
  return waitMs;
}

function start(runner: Runner, sequence: number): number {
  seen[runner] = sequence;
  startedAt[runner] = performance.now();
  if (runner === INLINE) {
    const at = WORDS.runners + WORDS.runnerStride * INLINE;
    inlineBaseUs = inlineClock();
    doubles[(at + RUNNER.baseUs) / 2] = inlineBaseUs;
    doubles[(at + RUNNER.seenAtUs) / 2] = wallUs();
    Atomics.store(words, at + RUNNER.seen, sequence);
  } else {
    laneClock.start();
  }
  return 0;
}

function used(runner: Runner): number {
  const passedUs = (performance.now() - (startedAt[runner] ?? 0)) * 1e3;
  const budgetUs = words[WORDS.runners + WORDS.runnerStride * runner + RUNNER.budgetUs] ?? 0;
  // No thread uses more CPU time than passes on the wall: the usual case needs no clock to be read.
  if (passedUs < budgetUs / 2 && passedUs < 2_000) return Math.min(passedUs, budgetUs / 2);
  return clockOf(runner);
}

function isOverdue(runner: Runner): boolean {
  const at = WORDS.runners + WORDS.runnerStride * runner;
  if ((words[at + RUNNER.slot] ?? 0) >= 0) return false;
  return (performance.now() - (startedAt[runner] ?? 0)) * 1e3 > (words[at + RUNNER.budgetUs] ?? 0) + OVERDUE_US;
}

function clockOf(runner: Runner): number {
  if (runner === INLINE) return inlineClock() - inlineBaseUs;
  return laneClock.used((performance.now() - (startedAt[runner] ?? 0)) * 1e3);
}

function condemn(at: number, sequence: number): void {
  const slot = words[at + RUNNER.slot] ?? 0;
  if (Atomics.compareExchange(words, at + RUNNER.sequence, sequence, -sequence) !== sequence || slot < 0) return;
  Atomics.store(words, at + RUNNER.kill, slot + 1);
  Atomics.store(words, WORDS.wardenWake, 1);
  Atomics.notify(words, WORDS.wardenWake);
}

function endStuck(runner: Runner): void {
  if (performance.now() - (condemnedAt[runner] ?? 0) < STUCK_MS) return;
  if (clockOf(runner) - (condemnedUs[runner] ?? 0) < STUCK_CPU_US && !isOverdue(runner)) return;
  // The entering thread may be the one that is stuck, so it cannot be asked. The supervisor replaces the process.
  if (data.onStuck === 'exit') {
    tell({ watch: 'stuck', ...describeEntry(runner), begun: Atomics.load(words, WORDS.begun) });
    endProcess(STUCK_EXIT_CODE);
  }
  condemnedAt[runner] = Infinity;
}

function tellLong(runner: Runner, sequence: number): void {
  toldOf[runner] = sequence;
  tell({ watch: 'long', ...describeEntry(runner) });
}

function tellShort(runner: Runner): void {
  toldOf[runner] = 0;
  tell({ watch: 'short', runner });
}

/** While an entry runs inline nothing else is begun: then it is known which requests had not been. */
function describeEntry(runner: Runner): object {
  const slot = words[WORDS.runners + WORDS.runnerStride * runner + RUNNER.slot] ?? -1;
  return {
    runner,
    version: occupants.get(slot < 0 ? ~slot : slot),
    ...(runner === INLINE && { begun: Atomics.load(words, WORDS.begun) }),
  };
}

/** To whoever started the process (supervisor/last-words.ts): by a pipe, since the thread that has the channel may be stuck. */
function tell(words: object): void {
  if (data.onStuck === 'exit') writeSync(STDERR, `${JSON.stringify(words)}\n`);
}

function anyRunning(): boolean {
  for (const runner of RUNNERS) {
    const at = WORDS.runners + WORDS.runnerStride * runner;
    if (Atomics.load(words, at + RUNNER.sequence) !== 0) return true;
  }
  return false;
}
