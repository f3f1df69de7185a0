/** A bare `node:http` server on the Node that runs the bench: what HTTP alone costs. */
import { fileURLToPath } from 'node:url';
import { startChild } from '../lib/children.ts';
import type { Context } from '../lib/context.ts';
import { processTree } from '../lib/proc.ts';
import { errorFile, type Server } from './peer.ts';

const SCRIPT = fileURLToPath(new URL('hello-server.mjs', import.meta.url));

export async function startNodeHttp(context: Context): Promise<Server> {
  const child = startChild({ command: process.execPath, args: [SCRIPT], errorFile: errorFile(context, 'node-http') });
  const port = await child.firstLine(Number);
  return {
    port,
    pids: () => processTree(child.pid),
    target: (name) => ({ port, host: name }),
    stop: () => child.stop(),
  };
}
