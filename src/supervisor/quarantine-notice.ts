/** Tells everybody concerned that a Worker has cost a cell and is kept apart: the operator, the audit log, the log, the tails. */
import type { WorkerKey } from '../control/index.ts';
import type { VersionId } from '../ids.ts';
import type { InvocationRecord } from '../model.ts';
import type { AuditLog } from '../store/index.ts';
import type { PlatformEvent } from './platform.ts';

export interface QuarantineNoticeDeps {
  readonly audit: AuditLog;
  readonly onEvent: (event: PlatformEvent) => void;
  /** To the log and to those who tail the Worker. */
  readonly onRecord: (record: InvocationRecord) => void;
  readonly now: () => number;
}

export interface Offence {
  readonly worker: WorkerKey;
  readonly version: VersionId;
  /** Where it ran. */
  readonly cell: string;
  readonly reason: string;
  /** What it did, as the end of a sentence that begins with the Worker. */
  readonly did: string;
  /** ms since 1970. */
  readonly untilMs: number;
}

const ACTOR = 'platform';
const OK = 200;

export async function tellOfQuarantine(
  { audit, onEvent, onRecord, now }: QuarantineNoticeDeps,
  { worker: { account, worker }, version, cell, reason, did, untilMs }: Offence,
): Promise<void> {
  const at = now();
  const until = new Date(untilMs).toISOString();
  onEvent({ event: 'quarantine', account, worker, version, cell, reason, until });
  onRecord({
    ray: '',
    account,
    worker,
    version,
    event: 'fetch',
    outcome: 'internalError',
    status: 0,
    cpuUs: 0,
    wallMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    subrequests: 0,
    memoryBytes: 0,
    cold: false,
    at,
    logs: [],
    exceptions: [
      {
        name: 'Quarantined',
        message: `The Worker ${did}. It runs apart from other accounts until ${until}.`,
        stack: '',
        timestamp: at,
      },
    ],
    truncated: false,
    tail: { clientIp: '', headers: [], dropped: 0 },
  });
  const draft = { at, account, actor: ACTOR, tokenId: '', action: 'worker.quarantine', target: worker, ip: '' };
  await audit.end(await audit.begin(draft), OK);
}
