/**
 * What a project's wrangler.jsonc or wrangler.toml says about its Worker, for isola's own deploys and for `isola dev`.
 * Keys have wrangler's meanings; what isola has not got is told by name, and the rest holds.
 */
import { basename, dirname, relative, resolve } from 'node:path';
import { CommandError } from './command-error.ts';
import { readConfigFile } from './config-file.ts';
import {
  type ConfigFile,
  configSchema,
  KNOWN_KEYS,
  type ModuleRule,
  selectEnvironment,
  UNAVAILABLE_KEYS,
} from './config-schema.ts';
import { suggest } from './options.ts';

export interface WorkerConfig {
  readonly name: string;
  /** Absolute path of the entry file. */
  readonly mainPath: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** As the upload's metadata has them: `{ name, type, … }`. */
  readonly bindings: readonly UploadBinding[];
  /** Names of secrets that the project says it needs; undefined: it says nothing. */
  readonly requiredSecrets: readonly string[] | undefined;
  readonly crons: readonly string[];
  readonly cpuMs: number | undefined;
  readonly build: BuildConfig;
  readonly dev: { readonly host: string | undefined; readonly port: number | undefined };
  /** One line each, for whoever starts the Worker. */
  readonly warnings: readonly string[];
}

/** How the entry file becomes modules. */
export interface BuildConfig {
  /** Absolute: what aliases are relative to. */
  readonly projectDir: string;
  readonly rules?: readonly ModuleRule[];
  readonly alias?: Readonly<Record<string, string>>;
  readonly define?: Readonly<Record<string, string>>;
  /** Absolute. */
  readonly tsconfig?: string;
  readonly jsxFactory?: string;
  readonly jsxFragment?: string;
  readonly minify?: boolean;
  readonly keepNames?: boolean;
  /** The entry file is a module as it is, and so is what the rules find beside it. */
  readonly noBundle?: boolean;
  readonly findAdditionalModules?: boolean;
  /** Absolute: where additional modules are looked for, and what their names are relative to. */
  readonly baseDir?: string;
}

export type UploadBinding =
  | { readonly name: string; readonly type: 'plain_text'; readonly text: string }
  | { readonly name: string; readonly type: 'json'; readonly json: unknown }
  | { readonly name: string; readonly type: 'version_metadata' }
  | { readonly name: string; readonly type: 'kv_namespace'; readonly id?: string; readonly previewId?: string }
  | { readonly name: string; readonly type: 'service'; readonly service: string; readonly entrypoint?: string };

export interface ReadConfigOptions {
  /** Of the file's `env`. */
  readonly environment?: string | undefined;
  /** Absolute; instead of the file's `main`. */
  readonly mainPath?: string | undefined;
}

/** Throws CommandError that names the file and the key. */
export async function readWorkerConfig(path: string, options: ReadConfigOptions = {}): Promise<WorkerConfig> {
  const parsed = configSchema.safeParse(await readConfigFile(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw refuse(path, issue?.path.join('.') ?? '', issue?.message ?? '');
  }
  const folder = dirname(path);
  const { config, warnings } = chooseEnvironment(path, parsed.data, options.environment);
  const mainPath = options.mainPath ?? (config.main === undefined ? undefined : resolve(folder, config.main));
  if (mainPath === undefined) throw refuse(path, 'main', 'is missing: it names the file to run');
  if (config.name === undefined) throw refuse(path, 'name', 'is missing');
  const toWarning = (text: string): string => `${basename(path)}: ${text}`;
  return {
    name: config.name,
    mainPath,
    compatibilityDate: config.compatibility_date ?? '2026-11-01',
    compatibilityFlags: config.compatibility_flags ?? [],
    bindings: toBindings(config),
    requiredSecrets: config.secrets?.required,
    crons: config.triggers?.crons ?? [],
    cpuMs: config.limits?.cpu_ms,
    build: toBuildConfig(config, folder),
    dev: { host: config.dev?.ip, port: config.dev?.port },
    warnings: [...warnings, ...describeUnavailable(config), ...describeUnknown(parsed.data)].map(toWarning),
  };
}

function chooseEnvironment(
  path: string,
  file: ConfigFile,
  name: string | undefined,
): { config: ConfigFile; warnings: readonly string[] } {
  if (name === undefined) return { config: file, warnings: [] };
  const environments = file.env ?? {};
  const environment = Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (environment === undefined) {
    const names = Object.keys(environments);
    const known = names.length === 0 ? 'it has none' : `it has ${names.join(', ')}`;
    throw refuse(path, 'env', `has no environment '${name}'; ${known}`);
  }
  const { config, lost } = selectEnvironment(file, environment, name);
  const warnings = lost.map((key) => `${key} is not inherited: env.${name} does not have what the top level has`);
  return { config, warnings };
}

function toBindings({
  vars = {},
  services = [],
  kv_namespaces: namespaces = [],
  version_metadata: metadata,
}: ConfigFile): UploadBinding[] {
  return [
    ...Object.entries(vars).map(([name, value]): UploadBinding =>
      typeof value === 'string' ? { name, type: 'plain_text', text: value } : { name, type: 'json', json: value },
    ),
    ...services.map(({ binding: name, service, entrypoint }): UploadBinding =>
      entrypoint === undefined ? { name, type: 'service', service } : { name, type: 'service', service, entrypoint },
    ),
    ...namespaces.map(({ binding: name, id, preview_id: previewId }): UploadBinding => ({
      name,
      type: 'kv_namespace',
      ...(id !== undefined && { id }),
      ...(previewId !== undefined && { previewId }),
    })),
    ...(metadata === undefined ? [] : [{ name: metadata.binding, type: 'version_metadata' } as const]),
  ];
}

function toBuildConfig(config: ConfigFile, projectDir: string): BuildConfig {
  const { tsconfig, base_dir: baseDir } = config;
  return withoutUndefined({
    projectDir,
    rules: config.rules,
    alias: config.alias,
    define: config.define,
    tsconfig: tsconfig === undefined ? undefined : resolve(projectDir, tsconfig),
    jsxFactory: config.jsx_factory,
    jsxFragment: config.jsx_fragment,
    minify: config.minify,
    keepNames: config.keep_names,
    noBundle: config.no_bundle,
    findAdditionalModules: config.find_additional_modules,
    baseDir: baseDir === undefined ? undefined : resolve(projectDir, baseDir),
  });
}

function describeUnavailable(config: ConfigFile): string[] {
  return Object.entries(UNAVAILABLE_KEYS).flatMap(([key, product]) => {
    const value = config[key];
    if (isEmpty(value)) return [];
    const names = listBindingNames(value);
    const missing = names.length === 0 ? '' : `; env has no ${names.join(', ')}`;
    // The platform has these; wrangler brings them there.
    const reason = key === 'assets' ? `only wrangler deploy brings ${product}` : `isola has no ${product} yet`;
    return [`${key}: ${reason}${missing}`];
  });
}

function describeUnknown(file: ConfigFile): string[] {
  const keys = [file, ...Object.values(file.env ?? {})].flatMap((config) => Object.keys(config));
  return [...new Set(keys)]
    .filter((key) => !KNOWN_KEYS.includes(key))
    .map((key) => {
      const guess = suggest(key, KNOWN_KEYS);
      return `${key} is not a key that isola or wrangler knows${guess === undefined ? '' : `; did you mean ${guess}?`}`;
    });
}

/** `''`, `[]`, `{}`, `{ bindings: [] }` and the like ask for nothing. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === '') return true;
  return typeof value === 'object' && Object.values(value).every((item) => isEmpty(item));
}

/** What a product's bindings are called: `binding` of each, or `name` of a Durable Object's. */
function listBindingNames(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((item) => listBindingNames(item));
  const { binding, name, ...rest } = value as Record<string, unknown>;
  const own = typeof binding === 'string' ? binding : name;
  return typeof own === 'string' ? [own] : Object.values(rest).flatMap((item) => listBindingNames(item));
}

function refuse(path: string, key: string, reason: string): CommandError {
  return new CommandError(`Cannot use ${relative('.', path)}: ${key}: ${reason}`);
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const present = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(present) as { [K in keyof T]: Exclude<T[K], undefined> };
}
