/** Workers as service-worker scripts: events are dispatched to the listeners of the global. */
import {
  defineInterface,
  dispatchGlobal,
  Event,
  type ExecutionContext,
  hasGlobalListeners,
  promiseResolve,
  setHandlers,
} from '../shared.ts';

const KEY = Symbol('event'); // only the runtime makes these events

export class ExtendableEvent extends Event {
  readonly #context: ExecutionContext;

  constructor(key: unknown, type: string, context: ExecutionContext) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    super(type, { cancelable: true });
    this.#context = context;
  }

  waitUntil(promise: unknown): void {
    this.#context.waitUntil(promise);
  }

  passThroughOnException(): void {
    this.#context.passThroughOnException();
  }
}
defineInterface(ExtendableEvent, 'ExtendableEvent');

let answerOf: (event: FetchEvent) => Promise<unknown> | undefined;

export class FetchEvent extends ExtendableEvent {
  readonly #request: unknown;
  #answer: Promise<unknown> | undefined = undefined;

  constructor(key: unknown, request: unknown, context: ExecutionContext) {
    super(key, 'fetch', context);
    this.#request = request;
  }

  get request(): unknown {
    return this.#request;
  }

  respondWith(response: unknown): void {
    if (this.#answer !== undefined) throw new TypeError('FetchEvent.respondWith() has already been called');
    this.#answer = promiseResolve(response);
    this.stopImmediatePropagation();
  }

  static {
    answerOf = (event) => event.#answer;
  }
}
defineInterface(FetchEvent, 'FetchEvent');

/** What is of use of a `ScheduledController`. */
interface Schedule {
  readonly cron: string;
  readonly scheduledTime: number;
  readonly missed: boolean;
  noRetry(): void;
}

export class ScheduledEvent extends ExtendableEvent {
  readonly #schedule: Schedule;

  constructor(key: unknown, schedule: Schedule, context: ExecutionContext) {
    super(key, 'scheduled', context);
    this.#schedule = schedule;
  }

  get cron(): string {
    return this.#schedule.cron;
  }

  get scheduledTime(): number {
    return this.#schedule.scheduledTime;
  }

  get missed(): boolean {
    return this.#schedule.missed;
  }

  noRetry(): void {
    this.#schedule.noRetry();
  }
}
defineInterface(ScheduledEvent, 'ScheduledEvent');

/** Answers as `GuestEntryPoints.attach` does. */
export function attachListeners(): string {
  const names = setHandlers(
    hasGlobalListeners('fetch') ? onFetch : undefined,
    hasGlobalListeners('scheduled') ? onScheduled : undefined,
  );
  if (names === '') {
    throw new TypeError("The script has no event listeners, such as addEventListener('fetch', (event) => {})");
  }
  return names;
}

function onFetch(request: unknown, _env: unknown, context: ExecutionContext): Promise<unknown> {
  const event = new FetchEvent(KEY, request, context);
  dispatchGlobal(event);
  const answer = answerOf(event);
  if (answer === undefined) throw new TypeError('No listener has answered the fetch event with event.respondWith()');
  return answer;
}

function onScheduled(controller: unknown, _env: unknown, context: ExecutionContext): void {
  dispatchGlobal(new ScheduledEvent(KEY, controller as Schedule, context));
}
