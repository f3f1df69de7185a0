/** What the control API asks of the rest of the platform. The supervisor implements it. */
import type { AccountId, WorkerName } from '../ids.ts';
import type { ExceptionInfo, Route, VersionCode } from '../model.ts';
import type { CpuProfile } from '../profiles/index.ts';
import type { AccountSettings, RuleChange } from '../store/index.ts';
import type { WorkerKey } from './names.ts';

export type CheckResult =
  | { readonly ok: true; readonly startupMs: number; readonly handlers: readonly string[] }
  /** `message` names the position of a syntax error; it is shown to the uploader. */
  | { readonly ok: false; readonly message: string };

/** How a scheduled event went. Stacks are in terms of the sources. */
export interface ScheduledResult {
  readonly outcome: string;
  readonly cpuUs: number;
  readonly wallMs: number;
  readonly logs: readonly { readonly level: string; readonly message: string; readonly timestamp: number }[];
  readonly exceptions: readonly ExceptionInfo[];
}

/** One live instance of a Worker, and what V8 counts of it; sizes in bytes. */
export interface InstanceHeap {
  readonly cell: string;
  readonly version: string;
  readonly heldBytes: number;
  readonly invocations: number;
  /** Absent when it did not stand still for a quarter of a second. */
  readonly heap?:
    | {
        readonly usedHeapBytes: number;
        readonly totalHeapBytes: number;
        readonly heapLimitBytes: number;
        readonly externalBytes: number;
        readonly mallocedBytes: number;
        readonly executableBytes: number;
      }
    | undefined;
}

/** What an instance of a Worker did for a while. */
export interface WorkerProfile {
  readonly version: string;
  /** In terms of the sources. */
  readonly profile: CpuProfile;
}

export interface ControlPlatform {
  /** Compiles and starts the code in a cell under the start-up limits, without serving it. */
  check(code: VersionCode): Promise<CheckResult>;
  /** Warms the versions where they will serve, then switches routes; resolves when every gateway has the new route. */
  publish(route: Route): Promise<void>;
  /** `publish` for many at once, without warming: the bulk import. */
  publishMany?(routes: readonly Route[]): Promise<void>;
  /** Limits have changed: what runs finishes. Resolves when the next request finds an instance with the new ones. */
  reload(account: AccountId, worker: WorkerName | undefined): Promise<void>;
  /** Changes route patterns and custom domains; resolves when every gateway follows them. */
  setRules(change: RuleChange): Promise<void>;
  /** A Worker has a version more, or an alias has moved. */
  previewsChanged(key: WorkerKey): Promise<void>;
  /** Takes a worker's routes away, and the rules that lead to it. */
  withdraw(account: AccountId, worker: WorkerName): Promise<void>;
  /** `withdraw` for many at once. */
  withdrawMany(workers: readonly WorkerKey[]): Promise<void>;
  /** Its Workers answer 403 once this resolves, and nothing of it runs any more. Again is fine. */
  suspendAccount(account: AccountId): Promise<void>;
  /** Its Workers may serve again. */
  resumeAccount(account: AccountId): Promise<void>;
  /** Which cells it may run in has been set anew. Resolves when requests go there. */
  placeAccount(account: AccountId, settings: Pick<AccountSettings, 'cordon' | 'isolation'>): Promise<void>;
  /** The live instances of a Worker in all cells. */
  heap(key: WorkerKey): Promise<readonly InstanceHeap[]>;
  /**
   * Profiles the Worker's requests of the next `seconds`, of the instance that computes most. Given up when `signal` is
   * aborted. Throws PlatformError `workerNotFound`, `profileBusy`, `profileLost`.
   */
  profile(key: WorkerKey, options: { seconds: number; signal: AbortSignal }): Promise<WorkerProfile>;
  /** Fires a scheduled event; resolves when it has ended. */
  fireScheduled(
    account: AccountId,
    worker: WorkerName,
    event: { readonly cron: string; readonly scheduledTime: number; readonly missed: boolean },
  ): Promise<ScheduledResult>;
}
