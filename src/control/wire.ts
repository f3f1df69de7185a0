/** Registry records as the API shows them: the field names that wrangler reads. */
import type { DeploymentRecord, VersionRecord, WorkerRecord } from '../store/index.ts';
import type { ControlDeps } from './context.ts';
import type { WorkerKey } from './releases.ts';

const AUTHOR = 'operator'; // until there are users

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
      author_email: AUTHOR,
      author_id: AUTHOR,
      source: version.source,
      has_preview: false,
    },
    resources: {
      bindings: spec.bindings,
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

export function toDeploymentBody(deployment: DeploymentRecord): Record<string, unknown> {
  return {
    id: deployment.id,
    source: deployment.source,
    strategy: 'percentage',
    author_email: AUTHOR,
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
  { baseDomain, gatewayPort }: Pick<ControlDeps, 'baseDomain' | 'gatewayPort'>,
): string {
  return `http://${worker}.${account}.${baseDomain}:${gatewayPort}`;
}
