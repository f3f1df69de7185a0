import { MAX_KV_PENDING_BYTES } from '../limits.ts';
import type { KvStore } from '../store/index.ts';
import type { KvService } from './exchange.ts';
import { PendingBytes } from './pending-bytes.ts';

const ACCOUNTS_AT_ONCE = 8; // with as much as each may have on its way

/** `now`: ms since 1970. */
export function createKvService(store: KvStore, now: () => number): KvService {
  const pending = new PendingBytes({
    maxBytes: ACCOUNTS_AT_ONCE * MAX_KV_PENDING_BYTES,
    maxAccountBytes: MAX_KV_PENDING_BYTES,
  });
  return { store, pending, now };
}
