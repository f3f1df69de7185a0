import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { InvocationRecord } from '../model.ts';

export const VERSION = 'v1' as VersionId;
export const OWNER = { account: 'a' as AccountId, worker: 'shop' as WorkerName };

/** The record of a plain request, for tests. */
export function makeRecord(record: Partial<InvocationRecord> = {}): InvocationRecord {
  return {
    ray: 'ray',
    ...OWNER,
    version: VERSION,
    event: 'fetch',
    outcome: 'ok',
    status: 200,
    cpuUs: 120,
    wallMs: 2.5,
    at: 0,
    bytesIn: 3,
    bytesOut: 5,
    subrequests: 1,
    memoryBytes: 0,
    cold: false,
    logs: [],
    exceptions: [],
    truncated: false,
    ...record,
  };
}
