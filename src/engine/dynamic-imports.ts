/**
 * `import()` while the code runs. The guest asks the host, since V8 evaluates a module for its embedder only; the host
 * evaluates it and tells the guest, all within the budget of who asked. While a module is evaluated no event is the
 * current one, so that what it starts does not end with the event that happened to be first.
 */
import type ivm from 'isolated-vm';
import { ENTER } from '../guest/abi.ts';
import { guestStack, LoadError, NOT_AN_ERROR } from './load-error.ts';
import type { ModuleGraph, ModuleRecord } from './modules.ts';
import type { Step, Steps } from './steps.ts';

export interface ImportRequest {
  /** The guest's number of the call. */
  readonly id: number;
  /** The guest's number of the module that asks. */
  readonly asker: number;
  readonly specifier: string;
}

/** One call of the guest's `enter`. */
export type EnterStep = (op: number, id: number, a?: string | number, b?: string | number) => Step;

/** A module that somebody has asked for. */
interface Imported {
  readonly loader: ivm.Module;
  state: 'linking' | 'evaluating' | 'done' | 'failed';
  /** What evaluating it has thrown, for the guest. */
  failure: string;
  /** Who waits for its top-level await. */
  readonly waiting: Set<number>;
}

const MAX_QUEUED = 1_000;

export class DynamicImports {
  readonly #graph: ModuleGraph;
  readonly #enter: EnterStep;
  readonly #imported = new Map<ModuleRecord, Imported>();
  /** Asked for by modules that are being evaluated: nobody's event. */
  readonly #queue: ImportRequest[] = [];

  constructor(graph: ModuleGraph, enter: EnterStep) {
    this.#graph = graph;
    this.#enter = enter;
  }

  /** Takes a request that belongs to no event; `settle` sees to it. */
  add(request: ImportRequest): void {
    if (this.#queue.length < MAX_QUEUED) this.#queue.push(request);
  }

  /** Sees to one request and what it brings about. Throws an unhandled rejection of the tenant's, when all is done. */
  *run(request: ImportRequest): Steps {
    const rejections: unknown[] = [];
    yield* this.#import(request, rejections);
    yield* this.#settle(rejections);
  }

  /** Sees to what modules have asked for while they were evaluated. Throws as `run` does. */
  *settle(): Steps {
    yield* this.#settle([]);
  }

  /**
   * After an entry that left an unhandled rejection: it may be that of a module that waited in a top-level await. Then
   * who imports it is told; otherwise it is thrown again.
   */
  *rethrow(error: unknown): Steps {
    yield* this.#settle([error]);
  }

  get hasUnsettled(): boolean {
    for (const { state } of this.#imported.values()) if (state === 'evaluating') return true;
    return false;
  }

  /** Until nothing is left to do: telling one module of a failure may make the next one fail. */
  *#settle(rejections: unknown[]): Steps {
    const unexplained: unknown[] = [];
    while (this.#queue.length > 0 || rejections.length > 0) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        yield* this.#import(next, rejections);
        continue;
      }
      const error = rejections.shift();
      yield* this.#findFailed(rejections);
      const description = describeFailure(error);
      const isOfModule = this.#imported.values().some(({ failure }) => failure === description);
      if (!isOfModule) unexplained.push(error);
    }
    if (unexplained.length > 0) throw unexplained[0];
  }

  /** Finds modules that have failed since they began to wait, and tells who imports them. */
  *#findFailed(rejections: unknown[]): Steps {
    for (const [record, imported] of this.#imported) {
      if (imported.state !== 'evaluating') continue;
      const failure = yield* this.#graph.probe(record);
      if (failure === undefined) continue;
      this.#fail(imported, failure.error);
      for (const id of imported.waiting) {
        try {
          yield this.#enter(ENTER.imported, id, imported.failure, record.key);
        } catch (error) {
          rejections.push(error);
        }
      }
      imported.waiting.clear();
    }
  }

  *#import({ id, asker, specifier }: ImportRequest, rejections: unknown[]): Steps {
    if ((yield this.#enter(ENTER.import, id)) === false) return; // its event is over
    let record: ModuleRecord | undefined;
    let failure = '';
    try {
      record = this.#graph.findFor(asker, specifier);
      const imported = this.#imported.get(record) ?? this.#start(record);
      if (imported.state === 'linking') yield* this.#evaluate(record, imported, rejections);
      failure = imported.failure;
    } catch (error) {
      // Not found or not linked: nothing has been evaluated, and the next one who asks tries again.
      failure = describeFailure(error);
      record = undefined;
    }
    try {
      const isPending = yield this.#enter(ENTER.imported, id, failure, record?.key ?? -1);
      const imported = record === undefined ? undefined : this.#imported.get(record);
      if (imported === undefined || imported.state === 'failed') return;
      if (isPending === true) imported.waiting.add(id);
      else imported.state = 'done';
    } catch (error) {
      rejections.push(error);
    }
  }

  #start(record: ModuleRecord): Imported {
    const loader = this.#graph.makeLoader(record);
    const imported: Imported = { loader, state: 'linking', failure: '', waiting: new Set() };
    this.#imported.set(record, imported);
    return imported;
  }

  *#evaluate(record: ModuleRecord, imported: Imported, rejections: unknown[]): Steps {
    yield this.#graph.link(imported.loader);
    imported.state = 'evaluating';
    try {
      yield this.#graph.evaluate(imported.loader);
    } catch (error) {
      // Its own error, or some rejection that nobody handles.
      const failure = yield* this.#graph.probe(record);
      if (failure !== undefined) this.#fail(imported, failure.error);
      else rejections.push(error);
    }
  }

  #fail(imported: Imported, error: unknown): void {
    imported.state = 'failed';
    imported.failure = describeFailure(error);
  }
}

/** As JSON, for the guest to make an error of: a copy of what was thrown in the isolate is all that the host has. */
function describeFailure(error: unknown): string {
  if (!(error instanceof Error)) return JSON.stringify({ thrown: error });
  const { name, message } = error;
  if (error instanceof LoadError) return JSON.stringify({ name: 'Error', message });
  if (message.startsWith(NOT_AN_ERROR)) {
    return JSON.stringify({ name: 'Error', message: 'The module threw a value that is not an Error' });
  }
  return JSON.stringify({ name, message, stack: guestStack(error) });
}
