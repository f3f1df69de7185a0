/** Deploys Workers over the control API, with the same calls and forms as wrangler. */
import type { ModuleKind } from '../model.ts';
import { type BundledModule, MAIN_MODULE } from './bundle.ts';
import { callControl, type ControlTarget } from './control-client.ts';
import type { UploadBinding } from './wrangler-config.ts';

export interface DeployTarget extends ControlTarget {
  readonly account: string;
}

export interface WorkerUpload {
  readonly name: string;
  /** Name of the entry module. Default `index.js`. */
  readonly main?: string;
  /** By specifier. Text is an ES module. */
  readonly modules: ReadonlyMap<string, BundledModule | string>;
  /** By the name of their module with `.map` behind it. */
  readonly sourceMaps?: ReadonlyMap<string, Uint8Array>;
  readonly bindings?: readonly UploadBinding[];
  readonly compatibilityDate?: string;
  readonly compatibilityFlags?: readonly string[];
  readonly crons?: readonly string[];
  readonly cpuMs?: number | undefined;
}

/**
 * Uploads a version, sends all traffic to it and sets its cron triggers.
 * Resolves to the version's id once the platform has it. Throws CommandError with the platform's message and code.
 */
export async function deployWorker(target: DeployTarget, upload: WorkerUpload): Promise<string> {
  const script = `accounts/${target.account}/workers/scripts/${upload.name}`;
  const attempt = `Cannot deploy ${upload.name}`;
  const bindings = await toMetadataBindings(target, upload);
  const form = toUploadForm(upload, bindings);
  const result = await callControl(target, { attempt, method: 'PUT', path: script, body: form });
  const { deployment_id: version } = result as { deployment_id: string };
  await callControl(target, { attempt, method: 'POST', path: `${script}/subdomain`, body: { enabled: true } });
  const schedules = (upload.crons ?? []).map((cron) => ({ cron }));
  if (schedules.length === 0) return version;
  await callControl(target, { attempt, method: 'PUT', path: `${script}/schedules`, body: schedules });
  return version;
}

/** A KV namespace without an id is made, or found again, by the title that wrangler gives it. */
async function toMetadataBindings(
  target: DeployTarget,
  { name: worker, bindings = [] }: WorkerUpload,
): Promise<object[]> {
  const list: object[] = [];
  for (const binding of bindings) {
    if (binding.type !== 'kv_namespace') list.push(binding);
    else {
      const { type, name, id } = binding;
      // oxlint-disable-next-line no-await-in-loop -- two of them may have the same title
      list.push({ type, name, namespace_id: id ?? (await provideNamespace(target, toTitle(worker, name))) });
    }
  }
  return list;
}

async function provideNamespace(target: DeployTarget, title: string): Promise<string> {
  const path = `accounts/${target.account}/storage/kv/namespaces`;
  const attempt = `Cannot make KV namespace ${title}`;
  const all = await callControl(target, { attempt, method: 'GET', path: `${path}?per_page=1000` });
  const found = (all as { id: string; title: string }[]).find((namespace) => namespace.title === title);
  const made = found ?? (await callControl(target, { attempt, method: 'POST', path, body: { title } }));
  return (made as { id: string }).id;
}

function toTitle(worker: string, binding: string): string {
  return `${worker}-${binding.toLowerCase().replaceAll('_', '-')}`;
}

function toUploadForm(upload: WorkerUpload, bindings: readonly object[]): FormData {
  const form = new FormData();
  const metadata = {
    main_module: upload.main ?? MAIN_MODULE,
    bindings,
    compatibility_date: upload.compatibilityDate ?? '2026-11-01',
    compatibility_flags: upload.compatibilityFlags ?? [],
    keep_bindings: ['secret_text', 'secret_key'],
    ...(upload.cpuMs === undefined ? {} : { limits: { cpu_ms: upload.cpuMs } }),
  };
  form.append('metadata', JSON.stringify(metadata));
  for (const [specifier, module] of upload.modules) {
    const { kind, content } = typeof module === 'string' ? { kind: 'esm' as const, content: module } : module;
    form.append(specifier, new Blob([content as Uint8Array<ArrayBuffer>], { type: CONTENT_TYPES[kind] }), specifier);
  }
  for (const [name, content] of upload.sourceMaps ?? []) {
    form.append(name, new Blob([content as Uint8Array<ArrayBuffer>], { type: 'application/source-map' }), name);
  }
  return form;
}

/** The content type tells the platform the module's kind. */
const CONTENT_TYPES: Readonly<Record<ModuleKind, string>> = {
  esm: 'application/javascript+module',
  cjs: 'application/javascript',
  script: 'application/javascript',
  wasm: 'application/wasm',
  text: 'text/plain',
  data: 'application/octet-stream',
  json: 'application/json',
};
