/** The modules of a version, read from the form that the API gives and sent back in the form that it takes. */
import { call, callRaw, toPath } from '../api/client.ts';
import type { Version } from '../api/types.ts';

const SOURCE_MAP_TYPE = 'application/source-map';
const ESM_TYPE = 'application/javascript+module';
const SCRIPT_TYPE = 'application/javascript';
const TEXT_TYPES = new Set([ESM_TYPE, SCRIPT_TYPE, 'text/plain', 'application/json']);

export interface Module {
  readonly name: string;
  readonly type: string;
  /** Of what can be edited. */
  readonly text: string | undefined;
  readonly file: Blob;
}

/** What a version is made of, and what it keeps when its code changes. */
export interface Draft {
  readonly mainModule: string;
  /** In service-worker syntax. */
  readonly isScript: boolean;
  readonly modules: readonly Module[];
  readonly base: Version | undefined;
}

const FIRST_CODE = `export default {
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    return new Response(\`Hello from \${pathname}\\n\`);
  },
};
`;

export function createDraft(): Draft {
  const name = 'index.js';
  const module = { name, type: ESM_TYPE, text: FIRST_CODE, file: new Blob([FIRST_CODE]) };
  return { mainModule: name, isScript: false, modules: [module], base: undefined };
}

/** The newest version's code. Source maps are left out: they would not fit what is edited. */
export async function loadDraft(account: string, name: string, signal: AbortSignal): Promise<Draft> {
  const path = toPath`/accounts/${account}/workers/scripts/${name}`;
  const { items } = await call<{ items: Version[] }>(`${path}/versions`, { signal });
  const [base] = items;
  if (base === undefined) return createDraft();
  const response = await callRaw(`${path}/content/v2?version=${encodeURIComponent(base.id)}`, { signal });
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('multipart/form-data')) {
    const file = await response.blob();
    const module = { name: 'worker.js', type: SCRIPT_TYPE, text: await file.text(), file };
    return { mainModule: module.name, isScript: true, modules: [module], base };
  }
  const mainModule = response.headers.get('cf-entrypoint') ?? '';
  const parts = [...(await response.formData())];
  const modules = await Promise.all(parts.map(([part, value]) => toModule(part, value)));
  return { mainModule, isScript: false, modules: modules.filter(({ type }) => type !== SOURCE_MAP_TYPE), base };
}

async function toModule(name: string, value: FormDataEntryValue): Promise<Module> {
  const file = typeof value === 'string' ? new Blob([value], { type: 'text/plain' }) : value;
  const type = file.type.split(';', 1)[0] ?? '';
  return { name, type, text: TEXT_TYPES.has(type) ? await file.text() : undefined, file };
}

interface UploadOptions {
  readonly account: string;
  readonly name: string;
  readonly message: string;
  /** To all traffic at once; otherwise it is only stored. */
  readonly deploys: boolean;
}

/** Resolves to the id of the version that it became. */
export async function upload(draft: Draft, { account, name, message, deploys }: UploadOptions): Promise<string> {
  const path = toPath`/accounts/${account}/workers/scripts/${name}`;
  const form = new FormData();
  form.set('metadata', JSON.stringify(toMetadata(draft, message)));
  for (const module of draft.modules) {
    const content = module.text ?? module.file;
    form.append(module.name, new File([content], module.name, { type: module.type }));
  }
  if (!deploys) return (await call<{ id: string }>(`${path}/versions`, { method: 'POST', body: form })).id;
  // The id of the version: that is what wrangler prints.
  return (await call<{ deployment_id: string }>(path, { method: 'PUT', body: form })).deployment_id;
}

function toMetadata({ mainModule, isScript, base }: Draft, message: string): object {
  const { bindings = [], script_runtime: runtime } = base?.resources ?? {};
  return {
    ...(isScript ? { body_part: mainModule } : { main_module: mainModule }),
    keep_bindings: [...new Set(bindings.map(({ type }) => type))],
    ...(bindings.some(({ type }) => type === 'assets') && { keep_assets: true }),
    ...(runtime !== undefined && {
      compatibility_date: runtime.compatibility_date,
      compatibility_flags: runtime.compatibility_flags,
    }),
    annotations: { 'workers/message': message },
  };
}
