/** `node:diagnostics_channel`. */
import { reportError } from '../../core.ts';
import { checkFunction, invalidArgType } from '../errors.ts';
import type { AsyncLocalStorage } from './storage.ts';

type Name = string | symbol;
type Subscriber = (message: unknown, name: Name) => void;
type Transform = ((message: unknown) => unknown) | undefined;
type Fn = (this: unknown, ...args: unknown[]) => unknown;

export class Channel {
  readonly name: Name;
  #subscribers: readonly Subscriber[] = [];
  readonly #stores = new Map<AsyncLocalStorage, Transform>();

  constructor(name: Name) {
    this.name = name;
  }

  get hasSubscribers(): boolean {
    return this.#subscribers.length > 0 || this.#stores.size > 0;
  }

  subscribe(subscriber: Subscriber): void {
    checkFunction(subscriber, 'subscription');
    this.#subscribers = [...this.#subscribers, subscriber];
  }

  unsubscribe(subscriber: Subscriber): boolean {
    const at = this.#subscribers.indexOf(subscriber);
    if (at >= 0) this.#subscribers = this.#subscribers.toSpliced(at, 1);
    return at >= 0;
  }

  bindStore(store: AsyncLocalStorage, transform?: Transform): void {
    this.#stores.set(store, transform);
  }

  unbindStore(store: AsyncLocalStorage): boolean {
    return this.#stores.delete(store);
  }

  publish(message: unknown): void {
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(message, this.name);
      } catch (error) {
        reportLater(error);
      }
    }
  }

  runStores(message: unknown, callback: Fn, receiver?: unknown, ...args: unknown[]): unknown {
    let run = (): unknown => {
      this.publish(message);
      return Reflect.apply(callback, receiver, args);
    };
    for (const [store, transform] of this.#stores) {
      const inner = run;
      run = () => {
        let context: unknown = message;
        try {
          if (transform !== undefined) context = transform(message);
        } catch (error) {
          reportLater(error);
          return inner();
        }
        return store.run(context, inner);
      };
    }
    return run();
  }
}

/** A subscriber that fails disturbs nobody. */
function reportLater(error: unknown): void {
  queueMicrotask(() => {
    reportError(error);
  });
}

const channels = new Map<Name, Channel>();

function channel(name: Name): Channel {
  if (typeof name !== 'string' && typeof name !== 'symbol')
    throw invalidArgType('channel', 'of type string or symbol', name);
  let found = channels.get(name);
  if (found === undefined) {
    found = new Channel(name);
    channels.set(name, found);
  }
  return found;
}

const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'] as const;
type Channels = Record<(typeof EVENTS)[number], Channel>;
type Context = Record<string, unknown>;

class TracingChannel implements Channels {
  readonly start: Channel;
  readonly end: Channel;
  readonly asyncStart: Channel;
  readonly asyncEnd: Channel;
  readonly error: Channel;

  constructor(from: string | Channels) {
    const find = (event: (typeof EVENTS)[number]): Channel =>
      typeof from === 'string' ? channel(`tracing:${from}:${event}`) : from[event];
    this.start = find('start');
    this.end = find('end');
    this.asyncStart = find('asyncStart');
    this.asyncEnd = find('asyncEnd');
    this.error = find('error');
  }

  get hasSubscribers(): boolean {
    return EVENTS.some((event) => this[event].hasSubscribers);
  }

  subscribe(handlers: Partial<Record<(typeof EVENTS)[number], Subscriber>>): void {
    for (const event of EVENTS) if (handlers[event] !== undefined) this[event].subscribe(handlers[event]);
  }

  unsubscribe(handlers: Partial<Record<(typeof EVENTS)[number], Subscriber>>): boolean {
    let all = true;
    for (const event of EVENTS) {
      if (handlers[event] !== undefined && !this[event].unsubscribe(handlers[event])) all = false;
    }
    return all;
  }

  traceSync(fn: Fn, context: Context = {}, receiver?: unknown, ...args: unknown[]): unknown {
    if (!this.hasSubscribers) return Reflect.apply(fn, receiver, args);
    return this.start.runStores(context, () => {
      try {
        context['result'] = Reflect.apply(fn, receiver, args);
        return context['result'];
      } catch (error) {
        context['error'] = error;
        this.error.publish(context);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }

  tracePromise(fn: Fn, context: Context = {}, receiver?: unknown, ...args: unknown[]): unknown {
    if (!this.hasSubscribers) return Reflect.apply(fn, receiver, args);
    const settled = (key: 'error' | 'result', value: unknown): void => {
      context[key] = value;
      if (key === 'error') this.error.publish(context);
      this.asyncStart.publish(context);
      this.asyncEnd.publish(context);
    };
    return this.start.runStores(context, () => {
      try {
        const returned = Reflect.apply(fn, receiver, args) as Promise<unknown>;
        return Promise.resolve(returned).then(
          (result) => {
            settled('result', result);
            return result;
          },
          (error: unknown) => {
            settled('error', error);
            throw error;
          },
        );
      } catch (error) {
        context['error'] = error;
        this.error.publish(context);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }

  traceCallback(fn: Fn, position = -1, context: Context = {}, receiver?: unknown, ...args: unknown[]): unknown {
    if (!this.hasSubscribers) return Reflect.apply(fn, receiver, args);
    const callback = args.at(position);
    checkFunction(callback, 'callback');
    const { asyncStart, asyncEnd, error: failed } = this;
    const wrapped = function (this: unknown, error: unknown, result: unknown): unknown {
      if (error !== undefined && error !== null) {
        context['error'] = error;
        failed.publish(context);
      } else context['result'] = result;
      return asyncStart.runStores(context, () => {
        try {
          return Reflect.apply(callback as Fn, this, [error, result]);
        } finally {
          asyncEnd.publish(context);
        }
      });
    };
    args.splice(position, 1, wrapped);
    return this.start.runStores(context, () => {
      try {
        return Reflect.apply(fn, receiver, args);
      } catch (error) {
        context['error'] = error;
        this.error.publish(context);
        throw error;
      } finally {
        this.end.publish(context);
      }
    });
  }
}

export const diagnosticsChannel = {
  Channel,
  channel,
  hasSubscribers: (name: Name) => channels.get(name)?.hasSubscribers ?? false,
  subscribe: (name: Name, subscriber: Subscriber) => channel(name).subscribe(subscriber),
  tracingChannel: (from: string | Channels) => new TracingChannel(from),
  unsubscribe: (name: Name, subscriber: Subscriber) => channel(name).unsubscribe(subscriber),
};
