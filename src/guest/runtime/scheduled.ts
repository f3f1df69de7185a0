/** The first argument of a `scheduled()` handler. */
export class ScheduledController {
  readonly #cron: string;
  readonly #scheduledTime: number;

  constructor(cron: string, scheduledTime: number) {
    this.#cron = cron;
    this.#scheduledTime = scheduledTime;
  }

  get cron(): string {
    return this.#cron;
  }

  /** When it was due, in ms since 1970. */
  get scheduledTime(): number {
    return this.#scheduledTime;
  }

  /** Accepted as in Workers; failed events are not retried. */
  noRetry(): void {}
}
