import type { AssetIndex } from '../asset-index.ts';
import type { Grants } from '../grants.ts';
import type { Housekeeping } from '../housekeeping.ts';
import type { Hostnames } from '../hostnames.ts';
import type { Previews } from '../previews.ts';
import type { Registry } from '../registry.ts';
import type { Tokens } from '../tokens.ts';
import type { Schedules } from '../schedules.ts';
import type { SecretKeys } from '../secret-keys.ts';
import { openDatabase } from './database.ts';
import { SqliteAssetIndex } from './sqlite-asset-index.ts';
import { SqliteGrants } from './sqlite-grants.ts';
import { SqliteHostnames } from './sqlite-hostnames.ts';
import { SqliteHousekeeping } from './sqlite-housekeeping.ts';
import { SqlitePreviews } from './sqlite-previews.ts';
import { SqliteRegistry } from './sqlite-registry.ts';
import { SqliteTokens } from './sqlite-tokens.ts';
import { SqliteSchedules } from './sqlite-schedules.ts';
import { SqliteSecretKeys } from './sqlite-secret-keys.ts';

/** The ports that live in the registry's file. */
export interface SqliteStores {
  readonly registry: Registry;
  readonly tokens: Tokens;
  readonly grants: Grants;
  readonly assets: AssetIndex;
  readonly hostnames: Hostnames;
  readonly previews: Previews;
  readonly schedules: Schedules;
  readonly secretKeys: SecretKeys;
  readonly housekeeping: Housekeeping;
  close(this: void): Promise<void>;
}

/** Opens the file once for all of them. */
export function openSqliteStores(path: string): SqliteStores {
  const database = openDatabase(path);
  const registry = new SqliteRegistry(database);
  const tokens = new SqliteTokens(database);
  return {
    registry,
    tokens,
    grants: new SqliteGrants(database),
    assets: new SqliteAssetIndex(database),
    hostnames: new SqliteHostnames(database),
    previews: new SqlitePreviews(database),
    schedules: new SqliteSchedules(database),
    secretKeys: new SqliteSecretKeys(database),
    housekeeping: new SqliteHousekeeping(database),
    async close() {
      tokens.flush();
      await registry.close();
    },
  };
}

/** The Registry alone, for who needs no more. Closing it closes the file. */
export function openSqliteRegistry(path: string): Registry {
  return openSqliteStores(path).registry;
}
