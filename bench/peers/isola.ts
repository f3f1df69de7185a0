/** This platform, started as a user would: `node bin/isola.mjs serve`. */
import { fileURLToPath } from 'node:url';
import { startChild } from '../lib/children.ts';
import type { Context } from '../lib/context.ts';
import { commandLine, processTree } from '../lib/proc.ts';
import { errorFile, type Server } from './peer.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/isola.mjs', import.meta.url));
const TOKEN = 'bench-token-0123456789abcdef';
const ACCOUNT = 'main';
const BULK_TIMEOUT_MS = 120_000;

export interface Upload {
  readonly name: string;
  readonly code: string;
}

export interface Isola extends Server {
  readonly dataDir: string;
  /** Registers Workers, or new versions of them; they serve once this resolves. */
  deploy(uploads: readonly Upload[]): Promise<void>;
  /** Its processes by what they do. */
  readonly pidsByRole: () => Readonly<Record<Role, readonly number[]>>;
}

export const ROLES = ['supervisor', 'gateway', 'cell'] as const;
export type Role = (typeof ROLES)[number];

export interface IsolaOptions {
  readonly dataDir?: string;
  readonly cells?: number;
}

export async function startIsola(
  context: Context,
  { dataDir = context.folder('data'), cells }: IsolaOptions = {},
): Promise<Isola> {
  const ports = ['--port', '0', '--control-port', '0'];
  const cellArgs = cells === undefined ? [] : ['--cells', `${cells}`];
  const child = startChild({
    command: 'node',
    args: [LAUNCHER, 'serve', '--json', ...ports, '--data', dataDir, ...cellArgs],
    env: { ISOLA_ADMIN_TOKEN: TOKEN },
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
    deploy: (uploads) => deploy(control, uploads),
    stop: () => child.stop(),
  };
}

function parseReady(line: string): { gateway: string; control: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  const { event, gateway, control }: Record<string, unknown> = JSON.parse(line);
  if (event !== 'ready' || typeof gateway !== 'string' || typeof control !== 'string') return undefined;
  return { gateway, control };
}

async function deploy(control: string, uploads: readonly Upload[]): Promise<void> {
  const response = await fetch(new URL(`/client/v4/accounts/${ACCOUNT}/isola/bulk`, control), {
    method: 'PUT',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-ndjson' },
    body: uploads.map((upload) => JSON.stringify(upload)).join('\n'),
    signal: AbortSignal.timeout(BULK_TIMEOUT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Bulk upload answered ${response.status}: ${text.slice(0, 500)}`);
}

function roleOf(pid: number): Role {
  const command = commandLine(pid);
  if (command.includes('gateway/')) return 'gateway';
  if (command.includes('cell/')) return 'cell';
  return 'supervisor'; // with the launcher
}
