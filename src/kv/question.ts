/** Heads of KV's exchanges, as the guest's ABI (guest/abi.ts, KV) has them. */
import { KvRuleError } from './rules.ts';

export type KvQuestion =
  | { readonly operation: 'delete' | 'get'; readonly key: string }
  /** The keys are the body. */
  | { readonly operation: 'many' }
  | { readonly operation: 'list'; readonly prefix: string; readonly limit: number; readonly cursor: string }
  | {
      readonly operation: 'put';
      readonly key: string;
      readonly expiration: number | undefined;
      readonly ttl: number | undefined;
      /** JSON. */
      readonly metadata: string | undefined;
      /** Of the value, when it is known. */
      readonly bytes: number | undefined;
    };

/** Throws KvRuleError for what no guest of ours would say. */
export function parseKvQuestion(head: string): KvQuestion {
  const [operation = '', first = '', ...rest] = head.split('\n');
  switch (operation) {
    case 'delete':
    case 'get':
      return { operation, key: decode(first) };
    case 'many':
      return { operation };
    case 'list':
      return { operation, prefix: decode(first), limit: Number(rest[0]), cursor: rest[1] ?? '' };
    case 'put': {
      const [expiration, ttl, metadata, , length] = rest;
      return {
        operation,
        key: decode(first),
        expiration: toNumber(expiration),
        ttl: toNumber(ttl),
        metadata: metadata === undefined || metadata === '' ? undefined : decode(metadata),
        bytes: toNumber(length),
      };
    }
    default:
      throw new KvRuleError(400, 'KV was asked something it does not know.');
  }
}

/** The body of `many`. */
export function parseKeys(body: Buffer): string[] {
  return body.toString('latin1').split('\n').map(decode);
}

/** As the guest encodes texts: by `encodeURIComponent`. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new KvRuleError(400, 'The question is malformed.');
  }
}

function toNumber(text: string | undefined): number | undefined {
  return text === undefined || text === '' ? undefined : Number(text);
}
