/** What a cell needs of the world outside. Everything a Worker can reach passes through here. */
import type { Exchange, ExchangeEvents } from '../channel/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { InvocationRecord, StartRecord, VersionCode } from '../model.ts';
import type { Meter } from '../usage/index.ts';
import type { TakeSpan } from './invocation-trace.ts';
import type { Resource } from './resources.ts';

/** On whose behalf something is asked. Comes from the version's own spec, never from the guest. */
export interface Principal {
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly ray: string;
}

/** The same for a fetch to the network. */
export interface FetchPrincipal extends Principal {
  /** Fetches of Workers that lie before it, one setting off the next. */
  readonly hops: number;
}

export interface CellHost {
  /** The code of a version. Rejects when there is none. */
  loadVersion(id: VersionId): Promise<VersionCode>;
  /** The version of `worker` that serves a call from another Worker of the account, or undefined when there is none. */
  resolveService(account: AccountId, worker: WorkerName): Promise<VersionId | undefined>;
  /**
   * A request to the network. `head` as in the ABI's `HOST.fetch`; the answer's head is
   * `statusText\nurl\nredirected(0|1)\nname\nvalue\n…`.
   */
  openFetch(
    principal: FetchPrincipal,
    head: string,
    body: Uint8Array | undefined,
    options: { fin: boolean; events: ExchangeEvents },
  ): Exchange;
  /**
   * A question about a resource of the principal's account. Heads both ways are between the guest's part for it and
   * whoever answers.
   */
  openResource(
    principal: Principal,
    question: Resource & { readonly head: string },
    body: Uint8Array | undefined,
    options: { fin: boolean; events: ExchangeEvents },
  ): Exchange;
  /** Takes note of how an invocation went. */
  record(record: InvocationRecord): void;
  /** Takes note of how an instance was started. */
  recordStart(record: StartRecord): void;
  /** Adds up what is used. Absent where nobody asks. */
  readonly meter?: Meter | undefined;
  /** Takes a span of an invocation that is traced. Absent where nothing is. */
  readonly onSpan?: TakeSpan;
  /**
   * Whether the record is wanted with its `tail`: how many of the Worker's were left out since the last one. Absent
   * where nobody tails.
   */
  admitToTail?(record: InvocationRecord): number | undefined;
}
