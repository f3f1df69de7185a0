/** A bare `node:http` server on the Node that runs the bench: what HTTP alone costs. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startChild } from '../lib/children.ts';
import type { Context } from '../lib/context.ts';
import { processTree } from '../lib/proc.ts';
import { errorFile, type Server } from './peer.ts';

const HELLO = fileURLToPath(new URL('hello-server.mjs', import.meta.url));
const KV = fileURLToPath(new URL('kv-server.mjs', import.meta.url));
const FILES = fileURLToPath(new URL('files-server.mjs', import.meta.url));

export function startNodeHttp(context: Context): Promise<Server> {
  return startServer(context, [HELLO]);
}

/** Bodies of these sizes, each under the name `f<size>`. */
export function startNodeFiles(context: Context, sizes: readonly number[]): Promise<Server> {
  return startServer(context, [FILES, ...sizes.map(String)]);
}

/** Answers each request with one of so many values, from a table. */
export function startNodeKv(context: Context, { count, bytes }: { count: number; bytes: number }): Promise<Server> {
  return startServer(context, [KV, join(context.folder('node-kv'), 'kv.sqlite'), String(count), String(bytes)]);
}

async function startServer(context: Context, args: readonly string[]): Promise<Server> {
  const child = startChild({ command: process.execPath, args, errorFile: errorFile(context, 'node-http') });
  const port = await child.firstLine(Number);
  return {
    port,
    pids: () => processTree(child.pid),
    target: (name) => ({ port, host: name }),
    stop: () => child.stop(),
  };
}
