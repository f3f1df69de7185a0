import type { Registry } from '../registry.ts';
import { openDatabase } from './database.ts';
import { SqliteRegistry } from './sqlite-registry.ts';

/** The ports that live in the registry's file. */
export interface SqliteStores {
  readonly registry: Registry;
  close(): Promise<void>;
}

/** Opens the file once for all of them. */
export function openSqliteStores(path: string): SqliteStores {
  const database = openDatabase(path);
  const registry = new SqliteRegistry(database);
  return { registry, close: () => registry.close() };
}

/** The Registry alone, for who needs no more. Closing it closes the file. */
export function openSqliteRegistry(path: string): Registry {
  return openSqliteStores(path).registry;
}
