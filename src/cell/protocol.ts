/**
 * What supervisor and cell say to each other over the cell's first channel, beside VersionHeader and exchanges. Those are
 * fetches, `account\nworker\nray\nhops\n` and the guest's head, or questions about resources (resources.ts).
 */
import type { HeapStatistics } from '../engine/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { MAX_UPLOAD_RAW_BYTES } from '../limits.ts';

/** Largest message between supervisor and cell: a version with all its modules, and its header. */
export const CELL_FRAME_BYTES = MAX_UPLOAD_RAW_BYTES + 8 * 1024 * 1024;

/** Call `start`, the first one. The payload is the guest runtime: a `GuestSource` as JSON. */
export interface StartCell {
  readonly spares: number;
  readonly memoryBudgetBytes: number;
  /** How many gateway links were inherited, from file descriptor 4 on. */
  readonly links: number;
  /** What the cell gives up once it is ready to serve; nothing where it is not confined. */
  readonly seal: Seal;
}

export interface Seal {
  /** A seccomp filter for all of its threads, in base64: a program of classic BPF (confine/bpf.ts). */
  readonly filter?: string;
  /** Of Node's permission model. */
  readonly permissions: readonly string[];
}

/** Call `check`, with a VersionHeader and its payload. */
export type CheckAnswer =
  | { readonly ok: true; readonly startupMs: number; readonly handlers: readonly string[] }
  | { readonly ok: false; readonly message: string };

/** Call `prepare`. */
export interface PrepareVersion {
  readonly version: VersionId;
}

/** Notify `deployed`: calls through service bindings go to `version` from here on; only `serving` get requests. */
export interface Deployed {
  readonly account: AccountId;
  readonly worker: WorkerName;
  /** Undefined: the Worker is gone. */
  readonly version: VersionId | undefined;
  readonly serving: readonly VersionId[];
}

/** Call `reload`: the limits of this Worker, or of all of the account, have changed. */
export interface ReloadWorkers {
  readonly account: AccountId;
  readonly worker: WorkerName | undefined;
}

/** Call `suspend`: ends at once what runs of this account, WebSockets included, and forgets its code. */
export interface SuspendAccount {
  readonly account: AccountId;
}

/** Call `heap`: the live instances of a Worker. Answers InstanceHeap[]. */
export interface AskHeap {
  readonly account: AccountId;
  readonly worker: WorkerName;
}

export interface InstanceHeap {
  readonly version: VersionId;
  /** Of a body or message that waits outside for the Worker to take it. */
  readonly heldBytes: number;
  readonly invocations: number;
  /** Undefined when it did not stand still for a moment. */
  readonly heap: HeapStatistics | undefined;
}

/**
 * Call `profile-start`, before any request: instances of this Worker are profiled from their beginning, a sample each
 * `intervalUs`. Call `profile-stop` ends it: answers ProfileAnswer, with the profile as its payload when there is one.
 */
export interface StartProfile {
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly intervalUs: number;
  /** A profile that is larger is not sent. */
  readonly maxBytes: number;
}

export interface ProfileAnswer {
  /** Of the instance that has computed most; undefined when the Worker had none. */
  readonly version: VersionId | undefined;
  /** How large the profile is. */
  readonly bytes: number;
}

/** Call `scheduled`. */
export interface FireScheduled {
  readonly version: VersionId;
  readonly ray: string;
  readonly cron: string;
  readonly scheduledTime: number;
  /** It makes up for due times that have passed. */
  readonly missed: boolean;
  /** Of the trace that begins with it, when it is traced. */
  readonly traceId?: string | undefined;
}

/** Call `tailed`: the Workers whose records are wanted in full from here on, and no others. */
export interface TailedWorkersMessage {
  readonly workers: readonly { readonly account: AccountId; readonly worker: WorkerName }[];
}

/** Calls from the cell: `usage` (UsageMessage); `version` ({ id }) answers a VersionHeader with payload; `service` answers { version }. */
export interface ResolveService {
  readonly account: AccountId;
  readonly worker: WorkerName;
}
