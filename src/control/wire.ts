/** Registry records as the API shows them: the field names that wrangler reads. */
import { z } from 'zod';
import type { StoredBinding } from '../model.ts';
import type { DeploymentRecord, VersionRecord, WorkerRecord } from '../store/index.ts';
import { hasPreviews } from './alias.ts';
import type { ControlDeps } from './context.ts';
import type { WorkerKey } from './names.ts';

const UNKNOWN_AUTHOR = 'operator'; // of what was stored before authors were

const Annotations = z.record(z.string(), z.string());

export const VersionBody = z.object({
  id: z.uuid(),
  number: z.int(),
  annotations: Annotations,
  startup_time_ms: z.number(),
  metadata: z.looseObject({
    created_on: z.iso.datetime(),
    author_email: z.string(),
    source: z.string(),
    has_preview: z.boolean(),
  }),
  resources: z.object({
    bindings: z.array(z.looseObject({ name: z.string(), type: z.string() })),
    script: z.looseObject({ etag: z.string(), handlers: z.array(z.string()) }),
    script_runtime: z.looseObject({ compatibility_date: z.string(), compatibility_flags: z.array(z.string()) }),
  }),
});

export const DeploymentBody = z.object({
  id: z.string(),
  source: z.string(),
  strategy: z.literal('percentage'),
  author_email: z.string(),
  created_on: z.iso.datetime(),
  annotations: Annotations,
  versions: z.array(z.object({ version_id: z.uuid(), percentage: z.number() })),
});

export const ScriptBody = z.looseObject({
  id: z.string(),
  tag: z.string(),
  tags: z.array(z.string()),
  created_on: z.iso.datetime(),
  modified_on: z.iso.datetime(),
});

export const SubdomainBody = z.object({ enabled: z.boolean(), previews_enabled: z.boolean() });

export function toVersionBody(version: VersionRecord): Record<string, unknown> {
  const { spec } = version;
  return {
    id: spec.id,
    number: version.number,
    annotations: version.annotations,
    startup_time_ms: version.startupMs,
    metadata: {
      created_on: spec.createdOn,
      modified_on: spec.createdOn,
      // Names of tokens: there are no users, and wrangler shows what it gets.
      author_email: version.author ?? UNKNOWN_AUTHOR,
      author_id: version.author ?? UNKNOWN_AUTHOR,
      source: version.source,
      has_preview: hasPreviews(spec.worker),
    },
    resources: {
      bindings: spec.bindings.map(toBindingBody),
      script: { etag: version.etag, handlers: version.handlers, last_deployed_from: version.source },
      script_runtime: {
        compatibility_date: spec.compatibilityDate,
        compatibility_flags: spec.compatibilityFlags,
        limits: { cpu_ms: spec.limits.cpuMs },
        usage_model: 'standard',
      },
    },
  };
}

/** Of a secret its name and type: neither its value nor what that is sealed to leaves the platform. */
export function toBindingBody(binding: StoredBinding): Record<string, unknown> {
  const { name, type } = binding;
  if (type === 'secret_text') return { name, type };
  if (type === 'kv_namespace') return { name, type, namespace_id: binding.namespaceId };
  return { ...binding };
}

export function toDeploymentBody(deployment: DeploymentRecord): Record<string, unknown> {
  return {
    id: deployment.id,
    source: deployment.source,
    strategy: 'percentage',
    author_email: deployment.author ?? UNKNOWN_AUTHOR,
    created_on: deployment.createdOn,
    annotations: deployment.annotations,
    versions: deployment.shares.map(({ version, percentage }) => ({ version_id: version, percentage })),
  };
}

/** Like `script` of a service and an entry of the list of scripts. */
export function toScriptBody(worker: WorkerRecord): Record<string, unknown> {
  return {
    id: worker.name,
    tag: worker.tag,
    tags: worker.settings.tags,
    created_on: worker.createdOn,
    modified_on: worker.modifiedOn,
    // Always wrangler: 'dash' and 'api' make wrangler warn about overwriting somebody's edits.
    last_deployed_from: 'wrangler',
    usage_model: 'standard',
  };
}

export function toSubdomainBody({ settings }: WorkerRecord): { enabled: boolean; previews_enabled: boolean } {
  return { enabled: settings.subdomainEnabled, previews_enabled: settings.previewsEnabled };
}

/** The URL a Worker answers at. */
export function workerUrl(
  { account, worker }: WorkerKey,
  context: Pick<ControlDeps, 'baseDomain' | 'publicScheme' | 'publicPort'>,
): string {
  return `${context.publicScheme}://${worker}.${account}.${context.baseDomain}${toPort(context)}`;
}

/** What stands behind the version or the alias in the host of a preview URL. */
export function previewSuffix(
  { account, worker }: WorkerKey,
  context: Pick<ControlDeps, 'baseDomain' | 'publicScheme' | 'publicPort'>,
): string {
  return `-${worker}.${account}.${context.baseDomain}${toPort(context)}`;
}

/** Not the usual one. */
function toPort({ publicScheme, publicPort }: Pick<ControlDeps, 'publicScheme' | 'publicPort'>): string {
  return publicPort === (publicScheme === 'https' ? 443 : 80) ? '' : `:${publicPort}`;
}
