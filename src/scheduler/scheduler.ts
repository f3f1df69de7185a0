import type { AccountId, WorkerName } from '../ids.ts';
import { MAX_RUNNING_SCHEDULED } from '../limits.ts';
import type { DueSchedule, RunEnd, ScheduleClaim, Schedules } from '../store/index.ts';
import { MINUTE_MS, parseCron } from './cron-expression.ts';

const SLICE_MS = 100;
const SLICES = 300; // what is due in one minute is begun within half of it
const MIN_STARTS = 10; // in a slice
const MAX_DUE = 10_000; // read at once; the rest comes with the next minute
const MAX_RUNNING = 5_000; // of all accounts: a cell's channel has room for three times as many calls
const LATE_MS = MINUTE_MS; // a run that begins later than this has missed its time
const MAX_STEP_BACK_MS = 60 * MINUTE_MS; // a clock put back by less stands still for the schedules, until it is where it was
const END_DELAY_MS = 200; // how long ends of runs are gathered: each write waits for the disk
const NEVER = 8.64e15; // ECMAScript's last instant

type Skip = Pick<ScheduleClaim, 'id' | 'next' | 'nextDue'>;

export interface ScheduledEvent {
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly cron: string;
  /** When it was due, ms since 1970. */
  readonly scheduledTime: number;
  /** It makes up for due times that passed while nothing could run. */
  readonly missed: boolean;
}

export interface Clock {
  /** ms since 1970. */
  now(): number;
  /** Runs it once. The answer takes it back. */
  setTimer(run: () => void, delayMs: number): () => void;
}

export interface SchedulerDeps {
  readonly schedules: Schedules;
  /** Resolves when the event has ended. */
  readonly fire: (event: ScheduledEvent) => Promise<Omit<RunEnd, 'due' | 'id'>>;
  /** The due times of such an account pass without a run. */
  readonly isSuspended: (account: AccountId) => Promise<boolean>;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

/**
 * Fires what is due, once per due time, across restarts: a run is claimed in the store before it begins.
 *
 * Looks into the store at each full minute and keeps nothing itself, so what is added, changed and deleted needs no word
 * to it. Of due times that have passed meanwhile (the platform was down, the machine slept, the clock jumped) the last
 * one is run. Many at once are spread over the minute, accounts by turns.
 */
export class Scheduler {
  readonly #deps: SchedulerDeps;
  readonly #running = new Set<Promise<void>>();
  readonly #runningOf = new Map<AccountId, number>();
  readonly #timers = new Set<() => void>();
  #due: readonly DueSchedule[] = [];
  #startsPerSlice = MIN_STARTS;
  #pumping = false;
  #beginning: Promise<void> | undefined;
  #stopped = false;
  #startedAt = 0;
  #ends: RunEnd[] = [];

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#startedAt = this.#deps.clock.now();
    await this.#deps.schedules.abandonRuns();
    await this.#tick();
  }

  /** Begins nothing any more. Resolves when what has been claimed is running. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#due = [];
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    await this.#beginning;
  }

  /** Stops, and resolves when all that runs has ended and been noted. */
  async close(): Promise<void> {
    await this.stop();
    await Promise.all(this.#running);
    await this.#noteEnds();
  }

  async #tick(): Promise<void> {
    const { schedules, clock, onError } = this.#deps;
    try {
      await this.#followClockBack(clock.now());
      this.#due = await schedules.due(clock.now(), MAX_DUE);
      this.#startsPerSlice = Math.max(MIN_STARTS, Math.ceil(this.#due.length / SLICES));
    } catch (error) {
      onError(error);
    }
    if (this.#stopped) return;
    this.#after(MINUTE_MS - (clock.now() % MINUTE_MS), () => void this.#tick());
    void this.#pump();
  }

  /** A clock that was far ahead has left schedules behind that would wait for it: they begin anew. */
  async #followClockBack(now: number): Promise<void> {
    const { schedules } = this.#deps;
    this.#startedAt = Math.min(this.#startedAt, now);
    const ahead = await schedules.ranAfter(now + MAX_STEP_BACK_MS, MAX_DUE);
    if (ahead.length > 0) await schedules.skip(ahead.map((schedule) => toSkip(schedule, now)));
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    for (;;) {
      const batch = this.#take();
      if (batch.length === 0) break;
      // What was not claimed is due in the next minute too.
      this.#beginning = this.#begin(batch).catch(this.#deps.onError);
      await this.#beginning;
      if (this.#due.length > 0) await new Promise<void>((resolve) => this.#after(SLICE_MS, resolve));
    }
    this.#pumping = false;
  }

  #take(): DueSchedule[] {
    const taken: DueSchedule[] = [];
    const left: DueSchedule[] = [];
    const room = Math.min(this.#startsPerSlice, MAX_RUNNING - this.#running.size);
    const begun = new Map<AccountId, number>();
    for (const schedule of this.#due) {
      const { account } = schedule;
      const ofAccount = (this.#runningOf.get(account) ?? 0) + (begun.get(account) ?? 0);
      if (taken.length >= room || ofAccount >= MAX_RUNNING_SCHEDULED) left.push(schedule);
      else {
        taken.push(schedule);
        begun.set(account, (begun.get(account) ?? 0) + 1);
      }
    }
    this.#due = left;
    return taken;
  }

  async #begin(batch: readonly DueSchedule[]): Promise<void> {
    const { schedules, clock, isSuspended, onError } = this.#deps;
    const now = clock.now();
    const suspended = new Set<AccountId>();
    for (const account of new Set(batch.map((schedule) => schedule.account))) {
      if (await isSuspended(account)) suspended.add(account);
    }
    const events: { schedule: DueSchedule; claim: ScheduleClaim }[] = [];
    const skips: Skip[] = [];
    for (const schedule of batch) {
      try {
        if (suspended.has(schedule.account)) skips.push(toSkip(schedule, now));
        else events.push({ schedule, claim: this.#toClaim(schedule, now) });
      } catch (error) {
        // An expression that an earlier program took and this one does not: it must not hold up the others.
        onError(error);
        skips.push({ ...schedule, next: NEVER });
      }
    }
    if (skips.length > 0) await schedules.skip(skips);
    const claimed = await schedules.claim(events.map(({ claim }) => claim));
    for (const [index, { claim, schedule }] of events.entries()) {
      if (claimed[index] === true) this.#run(schedule, claim);
    }
  }

  #toClaim({ id, cron, nextDue }: DueSchedule, now: number): ScheduleClaim {
    const due = Math.max(nextDue, parseCron(cron).latest(now) ?? nextDue);
    const missed = due > nextDue || due < this.#startedAt || now - due >= LATE_MS;
    return { id, nextDue, due, missed, next: nextOf(cron, now), now };
  }

  #run({ id, account, worker, cron }: DueSchedule, { due, missed }: ScheduleClaim): void {
    const { fire, onError } = this.#deps;
    const run = fire({ account, worker, cron, scheduledTime: due, missed })
      .catch((error: unknown) => {
        onError(error);
        return { outcome: 'internalError', cpuUs: 0, wallMs: 0 };
      })
      .then((end) => {
        this.#running.delete(run);
        const left = (this.#runningOf.get(account) ?? 1) - 1;
        if (left === 0) this.#runningOf.delete(account);
        else this.#runningOf.set(account, left);
        if (this.#ends.length === 0 && !this.#stopped) this.#after(END_DELAY_MS, () => void this.#noteEnds());
        this.#ends.push({ id, due, ...end });
        if (this.#due.length > 0) void this.#pump();
      });
    this.#running.add(run);
    this.#runningOf.set(account, (this.#runningOf.get(account) ?? 0) + 1);
  }

  async #noteEnds(): Promise<void> {
    const ends = this.#ends;
    this.#ends = [];
    if (ends.length > 0) await this.#deps.schedules.endRuns(ends).catch(this.#deps.onError);
  }

  #after(delayMs: number, run: () => void): void {
    if (this.#stopped) return;
    const cancel = this.#deps.clock.setTimer(() => {
      this.#timers.delete(cancel);
      run();
    }, delayMs);
    this.#timers.add(cancel);
  }
}

function toSkip({ id, nextDue, cron }: DueSchedule, now: number): Skip {
  return { id, nextDue, next: nextOf(cron, now) };
}

/** An expression that is due no more, in the last year that there is, goes on being there. */
export function nextOf(cron: string, now: number): number {
  return parseCron(cron).next(now) ?? NEVER;
}
