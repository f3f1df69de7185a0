import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ErrorName, PlatformError } from '../../errors.ts';

/** What the thread gets as its `workerData`. */
export interface ThreadData {
  readonly path: string;
  readonly mode: 'read' | 'write';
}

export interface ThreadQuestion {
  readonly id: number;
  readonly operation: string;
  readonly parameters: readonly unknown[];
}

export interface ThreadAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly kind: ErrorName; readonly message: string };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A thread that has a file open (serve-thread.ts), seen from the others. Questions of one tick go over together; their
 * writes share one transaction and its fsync.
 */
export class DatabaseThread<Operation extends string> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #batch: ThreadQuestion[] = [];
  #lastId = 0;
  #failure: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answers: readonly ThreadAnswer[]) => this.#settle(answers));
    worker.on('error', (error) => this.#fail(error as Error));
    worker.on('exit', () => this.#fail(new Error('The store has been closed')));
    worker.unref();
  }

  /** `module` is what the thread runs; it is ready when it answers nothing. */
  static async start<Operation extends string = string>(
    module: URL,
    { name, ...data }: ThreadData & { readonly name: string },
  ): Promise<DatabaseThread<Operation>> {
    const worker = new Worker(module, { name: `isola-${name}-${data.mode}`, workerData: data });
    await once(worker, 'message');
    return new DatabaseThread<Operation>(worker);
  }

  ask(operation: Operation, parameters: readonly unknown[]): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      if (this.#batch.push({ id, operation, parameters }) === 1) setImmediate(() => this.#send());
      this.#worker.ref();
    });
  }

  /** Answers what was asked before. */
  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    this.#send();
    this.#worker.ref();
    const ended = once(this.#worker, 'exit');
    this.#worker.postMessage('close');
    await ended;
  }

  #send(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#worker.postMessage(batch);
  }

  #settle(answers: readonly ThreadAnswer[]): void {
    for (const { id, result, error } of answers) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else
        waiting?.reject(
          error.kind === 'internal' ? new Error(error.message) : new PlatformError(error.kind, error.message),
        );
    }
    if (this.#waiting.size === 0) this.#worker.unref();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
