import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ErrorName, PlatformError } from '../../../errors.ts';
import type { KvOperation } from './kv-tables.ts';

export interface KvThreadData {
  readonly path: string;
  readonly mode: 'read' | 'write';
}

export interface KvQuestion {
  readonly id: number;
  readonly operation: KvOperation;
  readonly parameters: readonly unknown[];
}

export interface KvAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly kind: ErrorName; readonly message: string };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** One thread of the store. Questions of one tick go over together; their writes share one transaction and its fsync. */
export class KvThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #batch: KvQuestion[] = [];
  #lastId = 0;
  #failure: Error | undefined;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answers: readonly KvAnswer[]) => this.#settle(answers));
    worker.on('error', (error) => this.#fail(error as Error));
    worker.on('exit', () => this.#fail(new Error('The KV store has been closed')));
    worker.unref();
  }

  static async start(data: KvThreadData): Promise<KvThread> {
    const worker = new Worker(new URL('./kv-thread.ts', import.meta.url), {
      name: `isola-kv-${data.mode}`,
      workerData: data,
    });
    await once(worker, 'message');
    return new KvThread(worker);
  }

  ask(operation: KvOperation, parameters: readonly unknown[]): Promise<unknown> {
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

  #settle(answers: readonly KvAnswer[]): void {
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
