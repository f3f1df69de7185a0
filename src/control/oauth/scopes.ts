import type { Scope } from '../../store/index.ts';
import { allows, type Identity } from '../auth.ts';

/** What wrangler's scopes come to here. It asks for many more, of products that do not exist. Never `admin`. */
const MEANINGS: Readonly<Record<string, readonly Scope[]>> = {
  'account:read': ['account:read'],
  'workers:write': ['workers:read', 'workers:write'],
  'workers_scripts:write': ['workers:read', 'workers:write'],
  'workers_routes:write': ['workers:read', 'workers:write'],
  'workers_kv:write': ['kv:read', 'kv:write'],
  'workers_tail:read': ['tail:read'],
};

/** What a client gets that asks for these: no more than whoever signs in may himself. */
export function toGranted(requested: string, identity: Identity): Scope[] {
  const wanted = requested.split(' ').flatMap((scope) => (Object.hasOwn(MEANINGS, scope) ? MEANINGS[scope]! : []));
  return [...new Set(wanted)].filter((scope) => allows(identity, scope));
}
