/** The thread that reads one large body: see bulk-parser.ts. The body is a tenant's: it may exhaust memory or time. */
import { parentPort, workerData } from 'node:worker_threads';
import { PlatformError } from '../../errors.ts';
import type { KvEntry } from '../../store/index.ts';
import { parseBulkKeys, parseBulkPut } from './bulk-body.ts';

export type BulkJob =
  | { readonly kind: 'put'; readonly bytes: Uint8Array; readonly now: number }
  | { readonly kind: 'keys'; readonly bytes: Uint8Array };

export type BulkResult<J extends BulkJob> = J extends { readonly kind: 'put' }
  ? { readonly entries: readonly KvEntry[] }
  : { readonly keys: readonly string[] };

try {
  const job = workerData as BulkJob;
  if (job.kind === 'keys') parentPort?.postMessage({ keys: parseBulkKeys(job.bytes) });
  else {
    // Each in memory of its own, which goes over to the other thread as it is.
    const entries = parseBulkPut(job.bytes, job.now).map((entry) => ({ ...entry, value: new Uint8Array(entry.value) }));
    const buffers = entries.map(({ value }) => value.buffer);
    parentPort?.postMessage({ entries }, buffers);
  }
} catch (error) {
  const { kind, message } = error instanceof PlatformError ? error : new PlatformError('internal', String(error));
  parentPort?.postMessage({ error: { kind, message } });
}
