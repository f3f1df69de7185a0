/** What `isola dev` runs: an entry file, a Wrangler configuration, or an entry file with the configuration above it. */
import { basename, dirname, join, relative } from 'node:path';
import type { DeployOptions } from '../index.ts';
import type { WorkerName } from '../ids.ts';
import type { Binding } from '../model.ts';
import { readLocalSecrets } from './local-secrets.ts';
import { type BuildConfig, readWorkerConfig, type UploadBinding, type WorkerConfig } from './wrangler-config.ts';

/** What the command line says. At least one of `entry` and `configPath` is there. */
export interface ProjectSource {
  /** Absolute. */
  readonly entry: string | undefined;
  /** Absolute. */
  readonly configPath: string | undefined;
  readonly environment: string | undefined;
}

export interface DevProject {
  readonly name: string;
  /** Absolute. */
  readonly entry: string;
  readonly build: BuildConfig;
  /** With the secrets of this machine. */
  readonly bindings: readonly Binding[];
  readonly settings: Pick<DeployOptions, 'compatibilityDate' | 'compatibilityFlags' | 'limits'>;
  readonly dev: WorkerConfig['dev'];
  /** Where its KV namespaces are kept, if it has some. Absolute. */
  readonly kvPath?: string;
  /** Names of the files that secrets are from. */
  readonly secretFiles: readonly string[];
  readonly warnings: readonly string[];
  /** Absolute paths of the files all this is from: a change of any asks to read it again. */
  readonly files: readonly string[];
}

const KV_PATH = ['.wrangler', 'state', 'isola', 'kv.sqlite']; // where wrangler's own local state is, which projects do not commit
const NAME = 'dev'; // where there is no configuration

/** Throws CommandError that names the file and what is wrong in it. */
export async function readProject({ entry, configPath, environment }: ProjectSource): Promise<DevProject> {
  if (configPath === undefined) return withoutConfig(entry ?? '');
  const config = await readWorkerConfig(configPath, { environment, mainPath: entry });
  const secrets = await readLocalSecrets(dirname(configPath), environment);
  const wanted = config.requiredSecrets;
  const isWanted = (name: string): boolean =>
    wanted === undefined || wanted.includes(name) || config.bindings.some((binding) => binding.name === name);
  const values = Object.entries(secrets.values).filter(([name]) => isWanted(name));
  const missing = wanted?.filter((name) => !Object.hasOwn(secrets.values, name)) ?? [];
  const { bindings, warnings } = toRuntimeBindings(config);
  const own = bindings.filter(({ name }) => !values.some(([secret]) => secret === name));
  return {
    name: config.name,
    entry: config.mainPath,
    build: config.build,
    bindings: [...own, ...values.map(([name, text]): Binding => ({ type: 'plain_text', name, text }))],
    settings: {
      compatibilityDate: config.compatibilityDate,
      compatibilityFlags: config.compatibilityFlags,
      ...(config.cpuMs !== undefined && { limits: { cpuMs: config.cpuMs } }),
    },
    dev: config.dev,
    ...(bindings.some(({ type }) => type === 'kv_namespace') && { kvPath: join(dirname(configPath), ...KV_PATH) }),
    secretFiles: secrets.from,
    warnings: [
      ...config.warnings,
      ...warnings.map((text) => `${basename(configPath)}: ${text}`),
      ...missing.map(
        (name) => `the secret ${name} is missing: write it into ${relative('.', dirname(configPath)) || '.'}/.dev.vars`,
      ),
    ],
    files: [configPath, ...secrets.paths],
  };
}

function withoutConfig(entry: string): DevProject {
  return {
    name: NAME,
    entry,
    build: { projectDir: dirname(entry) },
    bindings: [],
    settings: {},
    dev: { host: undefined, port: undefined },
    secretFiles: [],
    warnings: [],
    files: [],
  };
}

/** A service binding reaches the Worker itself; no other runs here. */
function toRuntimeBindings({ name: self, bindings }: WorkerConfig): { bindings: Binding[]; warnings: string[] } {
  const warnings: string[] = [];
  const toBinding = (binding: UploadBinding): Binding => {
    if (binding.type === 'kv_namespace') {
      const { type, name, id, previewId } = binding;
      return { type, name, namespaceId: previewId ?? id ?? name };
    }
    if (binding.type !== 'service') return binding;
    const { name, service, entrypoint } = binding;
    if (service !== self) warnings.push(`services: ${name} is "${service}", which does not run here; calls of it fail`);
    const runtimeBinding = { type: 'service', name, service: service as WorkerName } as const;
    return entrypoint === undefined || entrypoint === 'default' ? runtimeBinding : { ...runtimeBinding, entrypoint };
  };
  return { bindings: bindings.map(toBinding), warnings };
}
