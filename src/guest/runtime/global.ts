/** Puts the Web platform on the global. Runs while the snapshot is made; `boot` does what has to wait for a context. */
import { Crypto, crypto } from '../crypto.ts';
import { atob, btoa, TextDecoder, TextEncoder } from '../encoding/index.ts';
import {
  AbortController,
  AbortSignal,
  defineGlobalHandlers,
  DOMException,
  Event,
  EventTarget,
  reportError as report,
  setGlobalTarget,
} from '../events/index.ts';
import { Headers, NETWORK, Request, Response, startFetch } from '../fetch/index.ts';
import { structuredClone } from '../clone.ts';
import { URL, URLSearchParams } from '../url/index.ts';
import { defineInterface, nameFunction, requireArguments } from '../webidl.ts';
import { console } from './console.ts';
import type * as tasks from '../parts/scheduler.ts';
import { createPerformance, Performance } from './performance.ts';
import { promiseReject, promiseResolve, promiseThen } from './intrinsics.ts';
import { bindFrame } from './frames.ts';
import { installLazyGlobals } from './lazy-globals.ts';
import { loadPart } from './parts.ts';
import { clearInterval, clearTimeout, setInterval, setTimeout, wait } from './timers.ts';

const interfaces = {
  AbortController,
  AbortSignal,
  Crypto,
  DOMException,
  Event,
  EventTarget,
  Headers,
  Performance,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
};

const LANGUAGES = Object.freeze(['en']);

class Navigator {
  get userAgent(): string {
    return 'isola';
  }

  get language(): string {
    return 'en';
  }

  get languages(): readonly string[] {
    return LANGUAGES;
  }

  /** Of what the host has, nothing is told. */
  get hardwareConcurrency(): number {
    return 1;
  }

  get platform(): string {
    return 'Linux';
  }
}

const SCHEDULER_KEY = Symbol('key');

class Scheduler {
  // oxlint-disable-next-line no-unused-private-class-members -- a brand: methods must reject on other objects
  readonly #isScheduler = true;

  constructor(key?: symbol) {
    if (key !== SCHEDULER_KEY) throw new TypeError('Illegal constructor');
  }

  /** Without the part that has the rest: the Workers that use nothing but this are many. */
  wait(delay: unknown, options?: unknown): Promise<void> {
    return wait(delay, options);
  }

  postTask(callback: unknown, options?: unknown): Promise<unknown> {
    if (!(#isScheduler in this)) return promiseReject(new TypeError('Illegal invocation'));
    return (loadPart('scheduler') as typeof tasks).postTask(callback, options);
  }

  yield(): Promise<void> {
    if (!(#isScheduler in this)) return promiseReject(new TypeError('Illegal invocation'));
    return (loadPart('scheduler') as typeof tasks).yieldTurn();
  }
}

const operations = {
  atob,
  btoa,
  clearInterval,
  clearTimeout,
  fetch(input: unknown, init?: unknown): Promise<Response> {
    return startFetch(input, init, NETWORK);
  },
  queueMicrotask(callback: unknown): void {
    if (typeof callback !== 'function') {
      throw new TypeError("Failed to execute 'queueMicrotask': parameter 1 is not of type 'Function'");
    }
    const call = (): void => {
      try {
        (callback as () => void)();
      } catch (error) {
        report(error);
      }
    };
    void promiseThen(promiseResolve(undefined), bindFrame(call));
  },
  reportError(error: unknown): void {
    requireArguments(arguments.length, 1, "Failed to execute 'reportError'");
    report(error);
  },
  setInterval,
  setTimeout,
  structuredClone,
  addEventListener: EventTarget.prototype.addEventListener,
  removeEventListener: EventTarget.prototype.removeEventListener,
  dispatchEvent: EventTarget.prototype.dispatchEvent,
};

export function installGlobals(): void {
  defineInterface(Navigator, 'Navigator');
  defineInterface(Scheduler, 'Scheduler', { constructor: 0, postTask: 1, wait: 1 });
  defineInterface(Performance, 'Performance', {
    constructor: 0,
    mark: 1,
    measure: 1,
    clearMarks: 0,
    clearMeasures: 0,
    getEntriesByName: 1,
  });
  define(interfaces, false);
  define(operations, true);
  define({ console, Navigator, Scheduler }, false);
  define(
    {
      crypto,
      navigator: new Navigator(),
      performance: createPerformance(),
      scheduler: new Scheduler(SCHEDULER_KEY),
      self: globalThis,
    },
    true,
  );
  installLazyGlobals();
  const target = new EventTarget();
  setGlobalTarget(target);
  defineGlobalHandlers(globalThis, target);
}

function define(values: object, enumerable: boolean): void {
  for (const [name, value] of Object.entries(values) as [string, unknown][]) {
    if (typeof value === 'function') nameFunction(value, name);
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true });
  }
}
