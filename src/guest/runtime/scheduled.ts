/** The first argument of a `scheduled()` handler. */
export class ScheduledController {
  readonly #cron: string;
  readonly #scheduledTime: number;
  readonly #missed: boolean;

  constructor(cron: string, scheduledTime: number, missed: boolean) {
    this.#cron = cron;
    this.#scheduledTime = scheduledTime;
    this.#missed = missed;
  }

  get cron(): string {
    return this.#cron;
  }

  /** When it was due, in ms since 1970. */
  get scheduledTime(): number {
    return this.#scheduledTime;
  }

  /** It makes up for due times that passed while nothing could run. Not a property of Workers elsewhere. */
  get missed(): boolean {
    return this.#missed;
  }

  /** Accepted as in Workers; failed events are not retried. */
  noRetry(): void {}
}
