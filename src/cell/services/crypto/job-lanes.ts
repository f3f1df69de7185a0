/**
 * Turns on libuv's thread pool, which this process has one of: four threads, for files, names and compression too.
 * Instances take turns, whatever each has waiting; long jobs never hold more than half of the threads.
 */
import { type Asker, ServiceError } from '../service.ts';

interface Job {
  readonly asker: Asker;
  start(): Promise<void>;
  refuse(): void;
}

interface LaneOptions {
  /** Jobs at once. */
  readonly places: number;
  /** Of them, of one owner. */
  readonly placesEach: number;
}

export class JobLane {
  readonly #places: number;
  readonly #placesEach: number;
  /** By owner, who is next first. */
  readonly #waiting = new Map<object, Job[]>();
  readonly #running = new Map<object, number>();
  #taken = 0;

  constructor({ places, placesEach }: LaneOptions) {
    this.#places = places;
    this.#placesEach = placesEach;
  }

  /** Runs `job` when it is `owner`'s turn. Rejects without having run it when its asker is over by then. */
  run<T>(owner: object, asker: Asker, job: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const entry: Job = {
        asker,
        start: () => job().then(resolve, reject),
        refuse: () => reject(new ServiceError('AbortError', 'The operation was given up')),
      };
      const jobs = this.#waiting.get(owner);
      if (jobs === undefined) this.#waiting.set(owner, [entry]);
      else jobs.push(entry);
      this.#fill();
    });
  }

  /** Gives up what `owner` has waiting. */
  drop(owner: object): void {
    for (const job of this.#waiting.get(owner) ?? []) job.refuse();
    this.#waiting.delete(owner);
  }

  #fill(): void {
    while (this.#taken < this.#places) {
      const owner = this.#nextOwner();
      if (owner === undefined) return;
      const jobs = this.#waiting.get(owner)!;
      const job = jobs.shift()!;
      this.#waiting.delete(owner);
      if (jobs.length > 0) this.#waiting.set(owner, jobs); // behind all others
      if (job.asker.finished) job.refuse();
      else this.#start(owner, job);
    }
  }

  #nextOwner(): object | undefined {
    for (const owner of this.#waiting.keys()) {
      if ((this.#running.get(owner) ?? 0) < this.#placesEach) return owner;
    }
    return undefined;
  }

  #start(owner: object, job: Job): void {
    this.#taken++;
    this.#running.set(owner, (this.#running.get(owner) ?? 0) + 1);
    void job.start().finally(() => {
      this.#taken--;
      const left = this.#running.get(owner)! - 1;
      if (left > 0) this.#running.set(owner, left);
      else this.#running.delete(owner);
      this.#fill();
    });
  }
}

/** Jobs of a few ms at most, but for those with much data. */
export const lightLane = new JobLane({ places: 2, placesEach: 2 });
/** Derivations from passwords, new RSA keys. */
export const heavyLane = new JobLane({ places: 2, placesEach: 1 });
