/** The keys of a Wrangler configuration that isola reads, and what it says to the others. */
import { z } from 'zod';

const moduleRule = z.object({
  type: z.enum(['ESModule', 'CommonJS', 'CompiledWasm', 'Text', 'Data']),
  globs: z.array(z.string()),
  fallthrough: z.boolean().optional(),
});

export type ModuleRule = z.output<typeof moduleRule>;

const environmentSchema = z.looseObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be 1 to 63 of a-z, 0-9 and -')
    .optional(),
  main: z.string().optional(),
  compatibility_date: z.iso.date().optional(),
  compatibility_flags: z.array(z.string()).optional(),
  vars: z.record(z.string(), z.json()).optional(),
  secrets: z.looseObject({ required: z.array(z.string()).optional() }).optional(),
  services: z
    .array(z.looseObject({ binding: z.string(), service: z.string(), entrypoint: z.string().optional() }))
    .optional(),
  kv_namespaces: z
    .array(z.looseObject({ binding: z.string(), id: z.string().optional(), preview_id: z.string().optional() }))
    .optional(),
  version_metadata: z.looseObject({ binding: z.string() }).optional(),
  triggers: z.looseObject({ crons: z.array(z.string()).optional() }).optional(),
  limits: z.looseObject({ cpu_ms: z.number().int().positive().optional() }).optional(),
  rules: z.array(moduleRule).optional(),
  define: z.record(z.string(), z.string()).optional(),
  tsconfig: z.string().optional(),
  jsx_factory: z.string().optional(),
  jsx_fragment: z.string().optional(),
  minify: z.boolean().optional(),
  keep_names: z.boolean().optional(),
  no_bundle: z.boolean().optional(),
  find_additional_modules: z.boolean().optional(),
  base_dir: z.string().optional(),
});

export const configSchema = environmentSchema.extend({
  alias: z.record(z.string(), z.string()).optional(),
  dev: z.looseObject({ ip: z.string().optional(), port: z.number().int().min(0).max(65_535).optional() }).optional(),
  env: z.record(z.string(), environmentSchema).optional(),
});

export type Environment = z.output<typeof environmentSchema>;
export type ConfigFile = z.output<typeof configSchema>;

/** Only at the top: an environment cannot change them. */
const TOP_KEYS = ['alias', 'dev'] as const;

/** Taken from the top where an environment does not have them. */
const INHERITED_KEYS = [
  'base_dir',
  'compatibility_date',
  'compatibility_flags',
  'find_additional_modules',
  'jsx_factory',
  'jsx_fragment',
  'keep_names',
  'limits',
  'main',
  'minify',
  'no_bundle',
  'rules',
  'triggers',
  'tsconfig',
  'assets',
  'build',
] as const;

/** Not taken from the top, where each environment says what it wants. */
const OWN_KEYS = ['define', 'kv_namespaces', 'secrets', 'services', 'vars', 'version_metadata'] as const;

/** Keys that ask for what does not exist yet, and what that is called. */
export const UNAVAILABLE_KEYS: Readonly<Record<string, string>> = {
  agent_memory: 'agent memory',
  ai: 'Workers AI',
  ai_search: 'AI Search',
  ai_search_namespaces: 'AI Search',
  analytics_engine_datasets: 'Analytics Engine',
  artifacts: 'Artifacts',
  assets: 'static assets',
  browser: 'Browser Rendering',
  build: 'custom builds',
  cloudchamber: 'Containers',
  connect: 'connect',
  containers: 'Containers',
  d1_databases: 'D1',
  data_blobs: 'service-worker data blobs',
  dispatch_namespaces: 'Workers for Platforms (dispatch namespaces)',
  durable_objects: 'Durable Objects',
  flagship: 'Flagship',
  hyperdrive: 'Hyperdrive',
  images: 'Images',
  k2: 'K2',
  logfwdr: 'logfwdr',
  media: 'Media Transformations',
  mtls_certificates: 'mTLS certificates',
  pipelines: 'Pipelines',
  python_modules: 'Python',
  queues: 'Queues',
  r2_buckets: 'R2',
  ratelimits: 'rate limiting',
  secrets_store_secrets: 'Secrets Store',
  send_email: 'Email',
  site: 'Workers Sites',
  stream: 'Stream',
  streaming_tail_consumers: 'tail Workers',
  tail_consumers: 'tail Workers',
  text_blobs: 'service-worker text blobs',
  unsafe: 'unsafe bindings',
  unsafe_hello_world: 'hello-world bindings',
  vectorize: 'Vectorize',
  vpc_networks: 'VPC networks',
  vpc_services: 'VPC services',
  wasm_modules: 'service-worker WebAssembly bindings',
  worker_loaders: 'dynamic Worker loading',
  workflows: 'Workflows',
};

/** Keys that mean nothing on one machine, or only to wrangler itself. */
const IGNORED_KEYS = [
  '$schema',
  'access',
  'account_id',
  'addresses',
  'analytics',
  'cache',
  'compliance_region',
  'dependencies_instrumentation',
  'env',
  'exports',
  'first_party_worker',
  'keep_vars',
  'logpush',
  'migrations',
  'name',
  'observability',
  'placement',
  'preserve_file_names',
  'preview_urls',
  'previews',
  'route',
  'routes',
  'send_metrics',
  'upload_source_maps',
  'workers_dev',
];

export const KNOWN_KEYS: readonly string[] = [
  ...TOP_KEYS,
  ...INHERITED_KEYS,
  ...OWN_KEYS,
  ...Object.keys(UNAVAILABLE_KEYS),
  ...IGNORED_KEYS,
];

/** What holds in an environment, by wrangler's rules of inheritance; `lost` are the keys that it does not inherit. */
export function selectEnvironment(
  file: ConfigFile,
  environment: Environment,
  name: string,
): { config: ConfigFile; lost: readonly string[] } {
  const inherited = Object.fromEntries(
    [...TOP_KEYS, ...INHERITED_KEYS].flatMap((key) => (file[key] === undefined ? [] : [[key, file[key]]])),
  );
  const fullName = file.name === undefined ? undefined : `${file.name}-${name}`;
  const lost = [...OWN_KEYS, ...Object.keys(UNAVAILABLE_KEYS)].filter(
    (key) => file[key] !== undefined && environment[key] === undefined && inherited[key] === undefined,
  );
  return { config: { ...inherited, ...(fullName !== undefined && { name: fullName }), ...environment }, lost };
}
