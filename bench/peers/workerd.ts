/**
 * workerd, alone with one Worker, or with a loader Worker in front that makes a dynamic Worker for each host name:
 * its `workerLoader` binding is the only way to give it tenants at run time.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { startChild } from '../lib/children.ts';
import type { Context } from '../lib/context.ts';
import { processTree } from '../lib/proc.ts';
import { errorFile, helloCode, type Server } from './peer.ts';

const BINARY = fileURLToPath(new URL('../../node_modules/@cloudflare/workerd-linux-64/bin/workerd', import.meta.url));
const COMPATIBILITY_DATE = '2026-11-01';

const LOADER = `export default {
  fetch(request, env) {
    const name = request.headers.get('host');
    const worker = env.LOADER.get(name, () => ({
      compatibilityDate: '${COMPATIBILITY_DATE}',
      mainModule: 'index.js',
      modules: { 'index.js': ${JSON.stringify(helloCode('Hello'))} },
      globalOutbound: null,
    }));
    return worker.getEntrypoint().fetch(request);
  },
};`;

export async function startWorkerd(context: Context, kind: 'loader' | 'single'): Promise<Server> {
  const folder = context.folder('workerd');
  writeFileSync(join(folder, 'worker.js'), kind === 'loader' ? LOADER : helloCode('Hello'));
  writeFileSync(join(folder, 'config.capnp'), toConfig(kind));
  const child = startChild({
    command: BINARY,
    args: ['serve', '--experimental', '--control-fd=1', 'config.capnp'],
    cwd: folder,
    errorFile: errorFile(context, 'workerd'),
  });
  const port = await child.firstLine((line) => {
    const { event, port }: Record<string, unknown> = JSON.parse(line);
    return event === 'listen' ? Number(port) : undefined;
  });
  return {
    port,
    pids: () => processTree(child.pid),
    target: (name) => ({ port, host: name }),
    stop: () => child.stop(),
  };
}

function toConfig(kind: 'loader' | 'single'): string {
  const loader = `compatibilityFlags = ["experimental"], bindings = [(name = "LOADER", workerLoader = ())],`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  ${kind === 'loader' ? loader : ''}
  compatibilityDate = "${COMPATIBILITY_DATE}"
);
`;
}
