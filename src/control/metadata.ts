/** The `metadata` part of an upload: what it may say, and bindings turned into ours. */
import { z } from 'zod';
import { PlatformError } from '../errors.ts';
import type { WorkerName } from '../ids.ts';
import { MAX_BINDINGS, MAX_CPU_MS, MAX_SECRET_BYTES, type WorkerLimits } from '../limits.ts';
import type { Binding } from '../model.ts';
import { AssetsMetadata } from './assets/index.ts';
import { describeIssues, parseJson } from './json.ts';
import { parseWorkerName } from './names.ts';
import { BINDING_PRODUCTS, notAvailable } from './products.ts';

const MAX_BINDING_NAME_CHARS = 256;
const MAX_ANNOTATION_CHARS = 1_000;
const MAX_FLAGS = 64;
const MAX_ANNOTATIONS = 100;

/** Anything but what would set the prototype of `env` instead of a property. */
export const BindingName = z
  .string()
  .min(1)
  .max(MAX_BINDING_NAME_CHARS)
  .refine((name) => name !== '__proto__', { error: "'__proto__' is not allowed as a name" });
const RawBinding = z.looseObject({ name: BindingName, type: z.string() });
type RawBinding = z.output<typeof RawBinding>;

// Loose: wrangler adds keys with every release, and most of them ask for nothing.
const Metadata = z.looseObject({
  main_module: z.string().optional(),
  body_part: z.string().optional(),
  bindings: z.array(RawBinding).max(MAX_BINDINGS).default([]),
  // Without it secrets are kept: wrangler before 4.110 says nothing and relies on it.
  keep_bindings: z.array(z.string()).max(MAX_FLAGS).default(['secret_text', 'secret_key']),
  compatibility_date: z.iso.date().optional(),
  compatibility_flags: z.array(z.string().max(100)).max(MAX_FLAGS).default([]),
  annotations: z.record(z.string().max(100), z.string().max(MAX_ANNOTATION_CHARS).nullish()).default({}),
  assets: AssetsMetadata.optional(),
  keep_assets: z.boolean().nullish(),
  limits: z.looseObject({ cpu_ms: z.number().optional() }).nullish(),
});

const Settings = z.looseObject({ bindings: z.array(RawBinding).max(MAX_BINDINGS) });

/** Keys that ask for a product which does not exist yet, unless they are empty. */
const UNAVAILABLE_KEYS = {
  migrations: 'Durable Objects',
  exports: 'exports (Durable Objects and others)',
  containers: 'Containers',
  tail_consumers: 'tail Workers',
  streaming_tail_consumers: 'tail Workers',
  logpush: 'Logpush',
} as const;

export interface ParsedMetadata {
  /** '' when there are static assets and nothing else. */
  readonly mainModule: string;
  /** The main module is a script in service-worker syntax. */
  readonly isScript: boolean;
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly limits: Partial<WorkerLimits>;
  readonly assets: AssetsMetadata | undefined;
  /** The newest version's assets are this one's too. */
  readonly keepAssets: boolean;
}

/** Throws `invalidUpload` when the value is too long. The message tells its length and nothing else of it. */
export function toSecret(name: string, text: string): Extract<Binding, { type: 'secret_text' }> {
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_SECRET_BYTES) return { type: 'secret_text', name, text };
  throw new PlatformError(
    'invalidUpload',
    `Cannot store secret '${name}': its value is ${bytes} bytes, limit is ${MAX_SECRET_BYTES}`,
  );
}

/**
 * Parses the metadata. `previous`: the bindings of the Worker's newest version, for `inherit` and `keep_bindings`.
 * Throws `invalidUpload`, `notAvailable` or `bindingNotFound`.
 */
export function parseMetadata(
  text: string,
  { previous, today }: { previous: readonly Binding[]; today: string },
): ParsedMetadata {
  const metadata = parseJsonShape(text, Metadata);
  for (const [key, product] of Object.entries(UNAVAILABLE_KEYS)) {
    if (asksForSomething(metadata[key])) throw notAvailable(product);
  }
  const { main_module: mainModule, body_part: script } = metadata;
  if (mainModule !== undefined && script !== undefined) throw invalid("both 'main_module' and 'body_part' are given");
  const keepAssets = metadata.keep_assets === true;
  const hasAssets = metadata.assets !== undefined || keepAssets;
  if (mainModule === undefined && script === undefined && !hasAssets) throw invalid("'main_module' is missing");
  const compatibilityDate = metadata.compatibility_date ?? today;
  if (compatibilityDate > today) {
    throw invalid(`compatibility_date ${compatibilityDate} is in the future; today is ${today}`);
  }
  return {
    mainModule: mainModule ?? script ?? '',
    isScript: script !== undefined,
    bindings: resolveBindings(metadata.bindings, metadata.keep_bindings, previous),
    compatibilityDate,
    compatibilityFlags: metadata.compatibility_flags,
    annotations: dropEmpty(metadata.annotations),
    limits: parseLimits(metadata.limits?.cpu_ms),
    assets: metadata.assets,
    keepAssets,
  };
}

/**
 * The bindings that the `settings` part of a PATCH asks for: one that has only a name and a type stays what it is in
 * `previous`. Throws `invalidUpload`, `notAvailable` or `bindingNotFound`.
 */
export function parseSettingsBindings(text: string, previous: readonly Binding[]): Binding[] {
  const { bindings, ...rest } = parseJsonShape(text, Settings);
  const other = Object.keys(rest).find((key) => asksForSomething(rest[key]));
  if (other !== undefined) throw invalid(`'${other}' cannot be changed by itself; upload a version`);
  const declared = bindings.map((raw) => (Object.keys(raw).length === 2 ? { ...raw, type: 'inherit' } : raw));
  return resolveBindings(declared, [], previous);
}

function parseJsonShape<T extends z.ZodType>(text: string, schema: T): z.output<T> {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw invalid((error as Error).message);
  }
  // Before the schema looks at each of them: 1 MiB has 70,000.
  const annotations = Object.keys((json as { annotations?: object } | null)?.annotations ?? {}).length;
  if (annotations > MAX_ANNOTATIONS) throw invalid(`${annotations} annotations, limit is ${MAX_ANNOTATIONS}`);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw invalid(describeIssues(parsed.error));
  return parsed.data;
}

function resolveBindings(
  declared: readonly RawBinding[],
  keep: readonly string[],
  previous: readonly Binding[],
): Binding[] {
  const bindings = new Map<string, Binding>();
  for (const raw of declared) {
    if (bindings.has(raw.name)) throw invalid(`binding '${raw.name}' is declared twice`);
    bindings.set(raw.name, toBinding(raw, previous));
  }
  for (const kept of previous) {
    if (keep.includes(kept.type) && !bindings.has(kept.name)) bindings.set(kept.name, kept);
  }
  if (bindings.size > MAX_BINDINGS) throw invalid(`${bindings.size} bindings, limit is ${MAX_BINDINGS}`);
  return [...bindings.values()];
}

function toBinding(raw: RawBinding, previous: readonly Binding[]): Binding {
  const { name, type } = raw;
  switch (type) {
    case 'plain_text':
      return { type, name, text: requireString(raw, 'text') };
    case 'json':
      if (!('json' in raw)) throw invalid(`binding '${name}': 'json' is missing`);
      return { type, name, json: raw['json'] };
    case 'secret_text':
      return toSecret(name, requireString(raw, 'text'));
    case 'service':
      return toServiceBinding(raw);
    case 'kv_namespace':
      return { type, name, namespaceId: requireString(raw, 'namespace_id') };
    case 'assets':
    case 'version_metadata':
      return { type, name };
    case 'wasm_module':
    case 'text_blob':
    case 'data_blob':
      return { type, name, part: requireString(raw, 'part') };
    case 'inherit':
      return inherit(raw, previous);
    default: {
      const product = BINDING_PRODUCTS.get(type);
      if (product !== undefined) throw notAvailable(product, `binding '${name}'`);
      throw invalid(`binding '${name}' has unknown type '${type.slice(0, 100)}'`);
    }
  }
}

function toServiceBinding(raw: RawBinding): Binding {
  if (asksForSomething(raw['props'])) throw notAvailable('props of service bindings', `binding '${raw.name}'`);
  const service: WorkerName = parseWorkerName(requireString(raw, 'service'));
  const { entrypoint } = raw;
  if (!asksForSomething(entrypoint) || entrypoint === 'default') return { type: 'service', name: raw.name, service };
  return { type: 'service', name: raw.name, service, entrypoint: toEntrypoint(raw) };
}

function toEntrypoint(raw: RawBinding): string {
  const name = requireString(raw, 'entrypoint');
  if (/^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(name) && name.length <= MAX_BINDING_NAME_CHARS)
    return name;
  throw invalid(`binding '${raw.name}': 'entrypoint' must be the name of an export`);
}

function inherit(raw: RawBinding, previous: readonly Binding[]): Binding {
  const oldName = typeof raw['old_name'] === 'string' ? raw['old_name'] : raw.name;
  const found = previous.find((binding) => binding.name === oldName);
  if (found !== undefined) return { ...found, name: raw.name };
  // wrangler looks for the beginning of this text.
  throw new PlatformError(
    'bindingNotFound',
    `inherit binding '${raw.name}' is invalid: the Worker's newest version has no binding '${oldName}'`,
  );
}

function requireString(raw: RawBinding, key: string): string {
  const value = raw[key];
  if (typeof value === 'string') return value;
  throw invalid(`binding '${raw.name}': '${key}' must be a string`);
}

function parseLimits(cpuMs: number | undefined): Partial<WorkerLimits> {
  if (cpuMs === undefined) return {};
  if (Number.isInteger(cpuMs) && cpuMs >= 1 && cpuMs <= MAX_CPU_MS) return { cpuMs };
  throw invalid(`limits.cpu_ms is ${cpuMs}, allowed are whole numbers from 1 to ${MAX_CPU_MS}`);
}

function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

/** Without those that are null or missing: wrangler sends `workers/tag` so. */
export function dropEmpty(annotations: Readonly<Record<string, string | null | undefined>>): Record<string, string> {
  const present = Object.entries(annotations).filter(([, value]) => typeof value === 'string');
  return Object.fromEntries(present) as Record<string, string>;
}

function invalid(reason: string): PlatformError {
  return new PlatformError('invalidUpload', `Bad upload metadata: ${reason}`);
}
