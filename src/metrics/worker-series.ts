/**
 * Who gets series of his own. There may be a million Workers, and every label is memory in whoever scrapes: the busiest
 * have their own, the rest share one that is called `other`.
 *
 * What was counted stays where it was counted: when somebody enters or leaves, no counter goes back and none jumps.
 */
const FORGOTTEN_BELOW = 1; // of the recent count, which is halved at each round
const MAX_CANDIDATES = 10_000;
const BUSIER = 2; // so much more than the least busy one of those who have a place, to take it

export interface Owner {
  readonly account: string;
  readonly worker: string;
}

interface Place<Series> {
  readonly owner: Owner;
  readonly series: Series;
}

export class WorkerSeries<Series> {
  readonly #places = new Map<string, Place<Series>>();
  readonly #recent = new Map<string, { readonly owner: Owner; count: number }>();
  readonly #other: Series;
  readonly #create: () => Series;
  readonly #max: number;

  constructor(max: number, create: () => Series) {
    this.#max = max;
    this.#create = create;
    this.#other = create();
  }

  /** Where to count for a Worker that did something `count` times. */
  of(owner: Owner, count: number): Series {
    const key = `${owner.worker}.${owner.account}`;
    const recent = this.#recent.get(key);
    if (recent !== undefined) recent.count += count;
    else if (this.#recent.size < MAX_CANDIDATES) this.#recent.set(key, { owner, count });
    const place = this.#places.get(key);
    if (place !== undefined) return place.series;
    return this.#places.size < this.#max ? this.#enter(key, owner) : this.#other;
  }

  /** To be called now and then, a minute apart: places go to those who were busier lately. */
  rerank(): void {
    const candidates = [...this.#recent].filter(([key]) => !this.#places.has(key));
    candidates.sort(([, a], [, b]) => b.count - a.count);
    const leaving = [...this.#places.keys()].toSorted((a, b) => this.#countOf(a) - this.#countOf(b));
    for (const [index, [key, { owner, count }]] of candidates.entries()) {
      const least = leaving[index];
      if (least === undefined || count <= BUSIER * this.#countOf(least)) break;
      this.#places.delete(least);
      this.#enter(key, owner);
    }
    for (const [key, recent] of this.#recent) {
      recent.count /= 2;
      if (recent.count < FORGOTTEN_BELOW) this.#recent.delete(key);
    }
  }

  /** Nothing of the account is named any more. */
  deleteAccount(account: string): void {
    for (const [key, { owner }] of this.#places) if (owner.account === account) this.#places.delete(key);
    for (const [key, { owner }] of this.#recent) if (owner.account === account) this.#recent.delete(key);
  }

  /** Those of their own, then `other`, whose names cannot be a Worker's and an account's. */
  *all(): Generator<[owner: Owner, series: Series]> {
    for (const { owner, series } of this.#places.values()) yield [owner, series];
    yield [{ account: '', worker: 'other' }, this.#other];
  }

  #countOf(key: string): number {
    return this.#recent.get(key)?.count ?? 0;
  }

  #enter(key: string, owner: Owner): Series {
    const series = this.#create();
    this.#places.set(key, { owner, series });
    return series;
  }
}
