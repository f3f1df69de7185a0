import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { VersionAssets } from '../model.ts';
import type { PreviewList } from './protocol.ts';
import type { PreviewCandidate, WorkerRoute } from './routes.ts';

const MAX_LABELS = 100_000; // kept of all Workers together: some 20 MB
const MAX_LOADING = 64; // Workers asked for at the same time

interface Entry {
  readonly versions: ReadonlyMap<string, VersionId>;
  readonly assets: ReadonlyMap<VersionId, VersionAssets>;
}

/**
 * Preview URLs, `<first 8 characters of a version's id>-<worker>` and `<alias>-<worker>`. The supervisor is asked once
 * for all of a Worker's; after that a name that is none costs a look-up, so whoever tries names gains nothing by it.
 */
export class Previews {
  readonly #load: (account: AccountId, worker: WorkerName) => Promise<PreviewList>;
  /** By `<worker>.<account>`, the one used longest ago first. */
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<Entry>>();
  #labels = 0;

  constructor(load: (account: AccountId, worker: WorkerName) => Promise<PreviewList>) {
    this.#load = load;
  }

  /** A Worker has changed: a version more, an alias moved. */
  forget(account: AccountId, worker: WorkerName): void {
    const name = `${worker}.${account}`;
    this.#loading.delete(name); // whoever waits for it began before the change
    this.#drop(name);
  }

  clear(): void {
    this.#loading.clear();
    this.#entries.clear();
    this.#labels = 0;
  }

  /** The first candidate that exists. Rejects when too many are being asked for, or the supervisor does not answer. */
  async find(candidates: readonly PreviewCandidate[]): Promise<WorkerRoute | undefined> {
    for (const { route, label } of candidates) {
      // oxlint-disable-next-line no-await-in-loop -- the next is asked for only when this one is none
      const { versions, assets } = await this.#entryOf(route);
      const version = versions.get(label);
      if (version !== undefined) return { ...route, version, weights: undefined, assets };
    }
    return undefined;
  }

  async #entryOf({ account, worker }: WorkerRoute): Promise<Entry> {
    const name = `${worker}.${account}`;
    const known = this.#entries.get(name);
    if (known !== undefined) {
      this.#entries.delete(name);
      this.#entries.set(name, known);
      return known;
    }
    const loading = this.#loading.get(name);
    if (loading !== undefined) return loading;
    if (this.#loading.size >= MAX_LOADING) throw new Error(`Cannot look up a preview: ${MAX_LOADING} are under way`);
    const promise = this.#load(account, worker).then(toEntry);
    this.#loading.set(name, promise);
    try {
      const entry = await promise;
      if (this.#loading.get(name) === promise) this.#keep(name, entry);
      return entry;
    } finally {
      if (this.#loading.get(name) === promise) this.#loading.delete(name);
    }
  }

  #keep(name: string, entry: Entry): void {
    this.#entries.set(name, entry);
    this.#labels += entry.versions.size + 1;
    for (const oldest of this.#entries.keys()) {
      if (this.#labels <= MAX_LABELS) return;
      this.#drop(oldest);
    }
  }

  #drop(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#labels -= entry.versions.size + 1;
    this.#entries.delete(name);
  }
}

/** Versions come newest first: of two whose ids begin alike, the newest is meant. */
function toEntry({ versions, aliases, assets }: PreviewList): Entry {
  const byLabel = new Map(aliases);
  for (const id of versions.toReversed()) byLabel.set(id.slice(0, 8), id);
  return { versions: byLabel, assets: new Map(assets) };
}
