/** `isola dev`: one Worker in this process behind a plain HTTP server, reloaded as its source changes. */
import { once } from 'node:events';
import { existsSync, mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, extname, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createRuntime, type Runtime } from '../index.ts';
import { createBundler, type Bundler } from './bundle.ts';
import { CommandError } from './command-error.ts';
import { findConfig } from './config-file.ts';
import { type DevProject, type ProjectSource, readProject } from './dev-project.ts';
import { toRecordLines } from './events.ts';
import { createNodeHandler } from './node-handler.ts';
import { defineCommand, UsageError } from './options.ts';
import { paintUrl, toListenError } from './serve.ts';
import { untilStopped } from './shutdown.ts';
import { paint, printError, printLine, toDuration } from './terminal.ts';
import { watchFiles } from './watch-files.ts';

export const dev = defineCommand({
  name: 'dev',
  summary: 'Run one Worker on this machine and reload it as you save',
  positionals: '[worker.ts]',
  options: {
    config: {
      type: 'string',
      value: 'FILE',
      help: 'Wrangler configuration',
      defaultText: 'the nearest wrangler.jsonc or .toml',
    },
    env: {
      type: 'string',
      value: 'NAME',
      short: 'e',
      help: 'Environment of the configuration',
      defaultText: '$CLOUDFLARE_ENV',
    },
    port: {
      type: 'integer',
      value: 'N',
      min: 0,
      max: 65_535,
      help: 'Port to serve on; 0 takes a free one',
      defaultText: "the configuration's, or 8787",
    },
    host: {
      type: 'string',
      value: 'ADDRESS',
      help: 'Address to listen on',
      defaultText: "the configuration's, or 127.0.0.1",
    },
  },
  examples: [
    { line: 'isola dev worker.ts', does: 'Serves http://127.0.0.1:8787/ and prints logs and errors' },
    { line: 'isola dev', does: 'The Worker of the wrangler.jsonc in this folder, with its vars and .dev.vars' },
    { line: 'isola dev examples/router/src/index.ts --port 3000', does: 'Another port' },
  ],
  run: async ({ config, env, port, host }, positionals) => {
    const [file, ...more] = positionals;
    if (more.length > 0) throw new UsageError(`isola dev runs one Worker, got also '${more[0]}'`);
    const source: ProjectSource = {
      entry: file === undefined ? undefined : toEntry(file),
      configPath:
        config === undefined ? findConfig(file === undefined ? resolve('.') : dirname(resolve(file))) : resolve(config),
      environment: env ?? process.env['CLOUDFLARE_ENV'],
    };
    if (source.entry === undefined && source.configPath === undefined) {
      throw new UsageError('isola dev needs a Worker: isola dev worker.ts, or a wrangler.jsonc in this folder');
    }
    await using session = await openSession(source);
    const address = {
      host: host ?? session.project.dev.host ?? '127.0.0.1',
      port: port ?? session.project.dev.port ?? 8787,
    };
    const server = await listen(session, address);
    const { port: boundPort } = server.address() as AddressInfo;
    const what = relative('.', session.project.entry);
    for (const name of session.project.secretFiles) printLine(paint('dim', `secrets from ${name}`));
    printLine(`${paint('green', 'ready')}  ${paintUrl(`http://${address.host}:${boundPort}/`)}  ${what}`);
    await untilStopped();
    server.close();
    server.closeAllConnections();
    return 0;
  },
});

/** In a folder that is there. */
function toFile(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

function toEntry(file: string): string {
  const entry = resolve(file);
  if (!existsSync(entry)) throw new UsageError(`Cannot find ${entry}`);
  if (!/^\.[cm]?[jt]sx?$/.test(extname(entry))) {
    throw new UsageError(`Cannot run ${basename(entry)}: must be a .js or .ts file`);
  }
  return entry;
}

interface Session extends AsyncDisposable {
  readonly runtime: Runtime;
  /** As it was at the start. */
  readonly project: DevProject;
  /** Of the Worker in the runtime. */
  readonly name: string;
}

/** Loads the Worker and keeps it fresh. A first version that does not compile is waited for, as a later one is. */
async function openSession(source: ProjectSource): Promise<Session> {
  const project = await readProject(source);
  const runtime = await createRuntime({
    ...(project.kvPath !== undefined && { kvPath: toFile(project.kvPath) }),
    onRecord: (record) => {
      for (const line of toRecordLines(record)) printLine(line);
    },
  });
  const loader = createLoader({ runtime, source, project });
  await loader.load();
  return {
    runtime,
    project,
    name: project.name,
    async [Symbol.asyncDispose]() {
      await loader.close();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

interface LoaderOptions {
  readonly runtime: Runtime;
  readonly source: ProjectSource;
  /** What `source` says at the start. */
  readonly project: DevProject;
}

interface Loader {
  /** Bundles and deploys. A failure is printed and the version that runs goes on running. */
  load(): Promise<void>;
  close(): Promise<void>;
}

function createLoader({ runtime, source, project: first }: LoaderOptions): Loader {
  let queue: Promise<void> = Promise.resolve();
  let project = first;
  let isFresh = true;
  let bundler: Bundler | undefined;
  let hasLoaded = false;
  let isClosed = false;
  let warned = '';

  const loadOnce = async (): Promise<void> => {
    if (isClosed) return;
    const startedAt = performance.now();
    try {
      const before = project;
      if (!isFresh) project = await readProject(source);
      isFresh = false;
      warnOnce(project.warnings);
      if (bundler !== undefined && !isDeepStrictEqual(toBuild(before), toBuild(project))) {
        await bundler[Symbol.asyncDispose]();
        bundler = undefined;
      }
      bundler ??= await createBundler(project.entry, project.build);
      const bundle = await bundler.bundle();
      watch.update([...bundle.inputs, ...project.files]);
      await runtime.deploy(first.name, {
        main: bundle.main,
        modules: Object.fromEntries(bundle.modules),
        sourceMaps: Object.fromEntries(bundle.sourceMaps),
        format: bundle.format,
        bindings: project.bindings,
        ...project.settings,
      });
      const verb = hasLoaded ? 'reloaded' : 'loaded';
      hasLoaded = true;
      printLine(`${paint('green', verb)} in ${toDuration(performance.now() - startedAt)}`);
    } catch (error) {
      printError(`${paint('red', 'error', process.stderr)}: ${toMessage(error)}`);
      printError(hasLoaded ? 'The version before goes on running.' : 'Waiting for a change …');
    }
  };
  const warnOnce = (warnings: readonly string[]): void => {
    const text = warnings.join('\n');
    if (text !== warned) for (const line of warnings) printLine(`${paint('yellow', 'warning')}  ${line}`);
    warned = text;
  };
  // One after the other: two quick saves must not overtake each other.
  const load = (): Promise<void> => (queue = queue.then(loadOnce));
  const watch = watchFiles([first.entry, ...first.files], () => void load());
  return {
    load,
    async close() {
      isClosed = true;
      watch.close();
      await queue;
      await bundler?.[Symbol.asyncDispose]();
    },
  };
}

function toBuild({ entry, build }: DevProject): unknown {
  return { entry, build };
}

async function listen({ runtime, name }: Session, { port, host }: { port: number; host: string }): Promise<Server> {
  const server = createServer(createNodeHandler((request) => runtime.fetch(name, request)));
  server.on('upgrade', (request, socket, head) => {
    try {
      runtime.upgrade(name, request, { socket, head });
    } catch {
      socket.destroy(); // no version has compiled yet
    }
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw toListenError(error, { host, port }) ?? error;
  }
  return server;
}

/** What the user wrote wrong is told without our stack. */
function toMessage(error: unknown): string {
  if (error instanceof CommandError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
