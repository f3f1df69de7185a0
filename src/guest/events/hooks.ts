/** What events need from the rest of the runtime, put in place at boot. */

export interface Timers {
  /** Calls back once after `ms`; answers an id for `clear`. */
  readonly set: (callback: () => void, ms: number) => number;
  readonly clear: (id: number) => void;
}

let timers: Timers | undefined;
let clock: () => number = () => 0;
let reporter: (error: unknown) => void = (error) => void Promise.reject(error);

/** Timers for `AbortSignal.timeout`. */
export function setTimers(value: Timers): void {
  timers = value;
}

/** The clock of `Event.timeStamp`: ms since the time origin. */
export function setEventClock(now: () => number): void {
  clock = now;
}

/** Where exceptions of event listeners and `reportError` go. Until set, they become unhandled rejections. */
export function setErrorReporter(report: (error: unknown) => void): void {
  reporter = report;
}

export function startTimer(callback: () => void, ms: number): number {
  if (timers === undefined) throw new TypeError('Timers are not available yet');
  return timers.set(callback, ms);
}

export function eventTime(): number {
  return clock();
}

/** Reports an exception that nobody can catch; runs no code of the tenant except through the reporter. */
export function reportError(error: unknown): void {
  reporter(error);
}
