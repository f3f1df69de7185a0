/**
 * KV as Workers ask for it: what their questions may say, and exchanges answered from the store. Values above 64 KiB take
 * turns, so that what is on its way never fills the memory.
 * Called by the supervisor and by the runtime that programs embed. The guest's side is guest/parts/kv.ts, the API's
 * control/kv/. Knows nothing of how values are stored.
 * Start at exchange.ts; rules.ts has what both sides check.
 */
export { serveKv } from './exchange.ts';
export {
  checkKey,
  checkKeyLength,
  checkMetadata,
  checkValue,
  fromCursor,
  KvRuleError,
  toCursor,
  toExpiration,
} from './rules.ts';
export { createKvService } from './service.ts';
