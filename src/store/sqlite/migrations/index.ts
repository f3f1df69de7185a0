/**
 * How the registry's schema came to be: applied in this order, each once and in a transaction of its own, recorded by
 * name. To change the schema, write a file beside this one and append it here. One that has been released never changes.
 */
import { ACCOUNTS_AND_TOKENS } from './accounts-and-tokens.ts';
import { ACCOUNT_SETTINGS } from './account-settings.ts';
import { ASSETS } from './assets.ts';
import { BASE } from './base.ts';
import { HOSTNAMES } from './hostnames.ts';
import { GRANT_REQUESTS } from './grant-requests.ts';
import { HOUSEKEEPING } from './housekeeping.ts';
import { SCHEDULES } from './schedules.ts';
import { SECRET_KEYS } from './secret-keys.ts';

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  { name: 'base', sql: BASE },
  { name: 'accounts-and-tokens', sql: ACCOUNTS_AND_TOKENS },
  { name: 'assets', sql: ASSETS },
  { name: 'hostnames', sql: HOSTNAMES },
  { name: 'grant-requests', sql: GRANT_REQUESTS },
  { name: 'schedules', sql: SCHEDULES },
  { name: 'secret-keys', sql: SECRET_KEYS },
  { name: 'housekeeping', sql: HOUSEKEEPING },
  { name: 'account-settings', sql: ACCOUNT_SETTINGS },
];
