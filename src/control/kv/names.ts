/** What paths and queries of KV's routes may hold, and rules of KV told as errors of the API. */
import { z } from 'zod';
import { PlatformError } from '../../errors.ts';
import { KvRuleError } from '../../kv/index.ts';
import type { KvAddress, KvNamespace } from '../../store/index.ts';
import type { ControlContext } from '../context.ts';
import { AccountParams } from '../names.ts';

const MAX_ID_CHARS = 512; // longer than any, so that one that is wrong is not found, like any other
const MAX_KEY_CHARS = 8_192; // longer than any, so that one that is too long is refused as such

export const KV_PATH = '/accounts/:account/storage/kv/namespaces';
export const NAMESPACE_PATH = `${KV_PATH}/:namespace`;

export const NamespaceParams = AccountParams.extend({ namespace: z.string().max(MAX_ID_CHARS) });
export const KeyParams = NamespaceParams.extend({ '*': z.string().max(MAX_KEY_CHARS) });
export const NamespaceBody = z.object({ id: z.string(), title: z.string(), supports_url_encoding: z.literal(true) });

export function toNamespaceBody({ id, title }: KvNamespace): z.output<typeof NamespaceBody> {
  return { id, title, supports_url_encoding: true };
}

export function toAddress({ account, namespace }: z.output<typeof NamespaceParams>): KvAddress {
  return { account, namespace };
}

/** The namespace, or `kvNamespaceNotFound`. */
export async function findNamespace({ kv }: Pick<ControlContext, 'kv'>, address: KvAddress): Promise<KvNamespace> {
  const found = await kv.namespace(address);
  if (found !== undefined) return found;
  throw new PlatformError('kvNamespaceNotFound', `There is no KV namespace '${address.namespace.slice(0, 100)}'`);
}

/** What breaks a rule of KV is the caller's error. */
export function checked<T>(attempt: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof KvRuleError)) throw error;
    throw new PlatformError(error.status === 400 ? 'badRequest' : 'kvLimit', `Cannot ${attempt}: ${error.message}`);
  }
}
