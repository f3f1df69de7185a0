/** This platform, started as a user would: `node bin/isola.mjs serve`. */
import { hash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { startChild } from '../lib/children.ts';
import type { Context } from '../lib/context.ts';
import { commandLine, processTree } from '../lib/proc.ts';
import type { Target } from '../lib/load.ts';
import { LAYERS_VARIABLE, type Variant } from './layers.ts';
import { errorFile, type Server } from './peer.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/isola.mjs', import.meta.url));
const SERVE_LAYERS = fileURLToPath(new URL('serve-layers.ts', import.meta.url));
const TOKEN = 'bench-token-0123456789abcdef';
const ACCOUNT = 'main';
const BULK_TIMEOUT_MS = 120_000;
const LIMITS = ['--address-connections', '--address-requests', '--account-requests'];
const WITHOUT_LIMITS = ['--sandbox', 'off', ...LIMITS.flatMap((limit) => [limit, '0'])];

export interface Upload {
  readonly name: string;
  readonly code: string;
}

export interface KvWorker {
  readonly code: string;
  readonly entries: { readonly count: number; readonly bytes: number };
}

export interface Isola extends Server {
  readonly dataDir: string;
  /** Registers Workers, or new versions of them; they serve once this resolves. */
  deploy(uploads: readonly Upload[]): Promise<void>;
  /** A Worker of files and nothing else. Resolves once it serves them. */
  deployFiles(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<void>;
  /** A Worker with a namespace as `env.KV`: keys `key-0` and so on. */
  deployKv(name: string, worker: KvWorker): Promise<void>;
  /** An account with a cell of its own, and its Worker `hello`. */
  deployApart(account: string, code: string): Promise<Target>;
  /** Its processes by what they do. */
  readonly pidsByRole: () => Readonly<Record<Role, readonly number[]>>;
}

export const ROLES = ['supervisor', 'gateway', 'cell'] as const;
export type Role = (typeof ROLES)[number];

export interface IsolaOptions {
  readonly dataDir?: string;
  readonly cells?: number;
  /** Cells as ordinary processes, and visitors without limits. */
  readonly unconfined?: boolean;
  /** Instead: what each cell is confined by, in the order in which they start. */
  readonly layers?: readonly Variant[];
  /** More variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startIsola(
  context: Context,
  { dataDir = context.folder('data'), cells, unconfined = false, layers, env = {} }: IsolaOptions = {},
): Promise<Isola> {
  const ports = ['--port', '0', '--control-port', '0'];
  const cellArgs = cells === undefined ? [] : ['--cells', `${cells}`];
  const limitArgs = unconfined ? WITHOUT_LIMITS : [];
  const program =
    layers === undefined
      ? { command: 'node', args: [LAUNCHER], env: {} }
      : {
          command: process.execPath,
          args: [...process.execArgv, SERVE_LAYERS],
          env: { [LAYERS_VARIABLE]: JSON.stringify(layers) },
        };
  const child = startChild({
    command: program.command,
    args: [...program.args, 'serve', '--json', ...ports, '--data', dataDir, ...cellArgs, ...limitArgs],
    env: { ISOLA_ADMIN_TOKEN: TOKEN, ...program.env, ...env },
    errorFile: errorFile(context, 'isola'),
  });
  const { gateway, control } = await child.firstLine(parseReady);
  const port = Number(new URL(gateway).port);
  return {
    port,
    dataDir,
    pids: () => processTree(child.pid),
    pidsByRole: () => ({ supervisor: [], gateway: [], cell: [], ...Object.groupBy(processTree(child.pid), roleOf) }),
    target: (name) => ({ port, host: `${name}.${ACCOUNT}.localhost` }),
    deploy: (uploads) => deploy(control, ACCOUNT, uploads),
    deployApart: async (account, code) => {
      const own = new URL(`/client/v4/accounts/${account}/isola/`, control);
      await call(new URL('account', own), TOKEN, { method: 'POST', body: '{}' });
      await call(new URL('settings', own), TOKEN, { method: 'PATCH', body: '{"isolation":"process"}' });
      await deploy(control, account, [{ name: 'hello', code }]);
      return { port, host: `hello.${account}.localhost` };
    },
    deployFiles: (name, files) => deployFiles(control, name, files),
    deployKv: (name, worker) => deployKv(control, name, worker),
    stop: () => child.stop(),
  };
}

function parseReady(line: string): { gateway: string; control: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  const { event, gateway, control }: Record<string, unknown> = JSON.parse(line);
  if (event !== 'ready' || typeof gateway !== 'string' || typeof control !== 'string') return undefined;
  return { gateway, control };
}

async function deploy(control: string, account: string, uploads: readonly Upload[]): Promise<void> {
  const response = await fetch(new URL(`/client/v4/accounts/${account}/isola/bulk`, control), {
    method: 'PUT',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-ndjson' },
    body: uploads.map((upload) => JSON.stringify(upload)).join('\n'),
    signal: AbortSignal.timeout(BULK_TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Bulk upload answered ${response.status}: ${text.slice(0, 500)}`);
}

async function deployFiles(control: string, name: string, files: Readonly<Record<string, Uint8Array>>): Promise<void> {
  const base = new URL(`/client/v4/accounts/${ACCOUNT}/workers/`, control);
  const hashes = Object.fromEntries(
    Object.entries(files).map(([path, content]) => [path, hash('sha256', content, 'hex').slice(0, 32)]),
  );
  const manifest = Object.fromEntries(
    Object.entries(files).map(([path, content]) => [path, { hash: hashes[path], size: content.byteLength }]),
  );
  const begun = await call(new URL(`scripts/${name}/assets-upload-session`, base), TOKEN, {
    method: 'POST',
    body: JSON.stringify({ manifest }),
  });
  const form = new FormData();
  for (const [path, content] of Object.entries(files)) {
    const part = hashes[path] ?? '';
    form.append(part, new File([Buffer.from(content).toString('base64')], part, { type: 'text/html' }));
  }
  const sent = await call(new URL('assets/upload?base64=true', base), begun['jwt'] as string, {
    method: 'POST',
    body: form,
  });
  const upload = new FormData();
  upload.set('metadata', JSON.stringify({ assets: { jwt: sent['jwt'], config: {} } }));
  await call(new URL(`scripts/${name}`, base), TOKEN, { method: 'PUT', body: upload });
}

async function deployKv(control: string, name: string, { code, entries }: KvWorker): Promise<void> {
  const base = new URL(`/client/v4/accounts/${ACCOUNT}/`, control);
  const namespaces = new URL('storage/kv/namespaces', base);
  const made = await call(namespaces, TOKEN, { method: 'POST', body: JSON.stringify({ title: name }) });
  const value = 'x'.repeat(entries.bytes);
  const pairs = Array.from({ length: entries.count }, (_, i) => ({ key: `key-${i}`, value }));
  await call(new URL(`${namespaces.pathname}/${String(made['id'])}/bulk`, base), TOKEN, {
    method: 'PUT',
    body: JSON.stringify(pairs),
  });
  const upload = new FormData();
  const bindings = [{ type: 'kv_namespace', name: 'KV', namespace_id: made['id'] }];
  upload.set('metadata', JSON.stringify({ main_module: 'index.js', bindings }));
  upload.set('index.js', new File([code], 'index.js', { type: 'application/javascript+module' }));
  await call(new URL(`workers/scripts/${name}`, base), TOKEN, { method: 'PUT', body: upload });
}

async function call(url: URL, token: string, init: RequestInit): Promise<Record<string, unknown>> {
  const response = await fetch(url, { ...init, headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url.pathname} answered ${response.status}: ${text.slice(0, 500)}`);
  return (JSON.parse(text) as { result: Record<string, unknown> }).result;
}

function roleOf(pid: number): Role {
  const command = commandLine(pid);
  if (command.includes('gateway/')) return 'gateway';
  if (command.includes('cell/')) return 'cell';
  return 'supervisor'; // with the launcher
}
