/** Secrets of a project on this machine: `.dev.vars`, or else `.env` files, as `wrangler dev` reads them. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseEnv } from 'node:util';

export interface LocalSecrets {
  readonly values: Readonly<Record<string, string>>;
  /** Names of the files that they are from. */
  readonly from: readonly string[];
  /** Absolute paths of all files that are looked at, there or not. */
  readonly paths: readonly string[];
}

/** `.dev.vars.<environment>` takes the place of `.dev.vars`; `.env` files add to each other, later ones win. */
export async function readLocalSecrets(folder: string, environment: string | undefined): Promise<LocalSecrets> {
  const inFolder = (names: readonly string[]): string[] => names.map((name) => join(folder, name));
  const devVars = inFolder(environment === undefined ? ['.dev.vars'] : [`.dev.vars.${environment}`, '.dev.vars']);
  const ofEnvironment = environment === undefined ? [] : [`.env.${environment}`, `.env.${environment}.local`];
  const dotEnv = inFolder(['.env', '.env.local', ...ofEnvironment]);
  const paths = [...devVars, ...dotEnv];
  const [found] = (await readAll(devVars)).slice(0, 1);
  if (found !== undefined) return { values: { ...found.values }, from: [found.name], paths };
  if (process.env['CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV'] === 'false') return { values: {}, from: [], paths };
  const files = await readAll(dotEnv);
  const values = Object.assign({}, ...files.map((file) => file.values)) as Record<string, string>;
  return { values: expandAll(values), from: files.map(({ name }) => name), paths };
}

async function readAll(paths: readonly string[]): Promise<{ name: string; values: Record<string, string> }[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      return text === undefined ? [] : [{ name: basename(path), values: parseEnv(text) as Record<string, string> }];
    }),
  );
  return files.flat();
}

/** `$NAME`, `${NAME}` and `${NAME:-default}` stand for values of the same files, one level deep; `\$` for a dollar sign. */
function expandAll(values: Readonly<Record<string, string>>): Record<string, string> {
  const reference = /\\\$|\$\{(\w+)(?::?-([^}]*))?\}|\$([A-Za-z_]\w*)/g;
  const expand = (value: string): string =>
    value.replace(reference, (whole, braced?: string, fallback?: string, bare?: string) =>
      whole === '\\$' ? '$' : (values[braced ?? bare ?? ''] ?? fallback ?? ''),
    );
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, expand(value)]));
}
