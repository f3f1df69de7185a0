/** `performance`, as far as standing clocks give it a meaning. Marks and measures are a part, loaded on first use. */
import { EventTarget } from '../events/index.ts';
import type * as part from '../parts/performance.ts';
import { requireArguments } from '../webidl.ts';
import { sinceOrigin, timeOrigin } from './clocks.ts';
import { loadPart } from './parts.ts';

type Entries = part.PerformanceEntry[];

const KEY = Symbol('key'); // there is one, and only the runtime makes it
let instance: Performance | undefined;

export class Performance extends EventTarget {
  constructor(key?: symbol) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    super();
  }

  now(): number {
    check(this);
    return sinceOrigin();
  }

  get timeOrigin(): number {
    check(this);
    return timeOrigin;
  }

  toJSON(): object {
    check(this);
    return { timeOrigin };
  }

  mark(name: unknown, options?: object): part.PerformanceMark {
    check(this);
    requireArguments(arguments.length, 1, "Failed to execute 'mark' on 'Performance'");
    return timing().mark(name, options);
  }

  measure(name: unknown, startOrOptions?: unknown, endMark?: unknown): part.PerformanceMeasure {
    check(this);
    requireArguments(arguments.length, 1, "Failed to execute 'measure' on 'Performance'");
    return timing().measure(name, startOrOptions, endMark);
  }

  clearMarks(name?: unknown): void {
    check(this);
    timing().clear('mark', name);
  }

  clearMeasures(name?: unknown): void {
    check(this);
    timing().clear('measure', name);
  }

  getEntries(): Entries {
    check(this);
    return timing().entries();
  }

  getEntriesByType(type: unknown): Entries {
    check(this);
    requireArguments(arguments.length, 1, "Failed to execute 'getEntriesByType' on 'Performance'");
    return timing().entries(undefined, type);
  }

  getEntriesByName(name: unknown, type?: unknown): Entries {
    check(this);
    requireArguments(arguments.length, 1, "Failed to execute 'getEntriesByName' on 'Performance'");
    return timing().entries(name, type);
  }
}

export function createPerformance(): Performance {
  instance = new Performance(KEY);
  return instance;
}

function check(value: unknown): void {
  if (value !== instance) throw new TypeError('Illegal invocation');
}

function timing(): typeof part {
  return loadPart('performance') as unknown as typeof part;
}
