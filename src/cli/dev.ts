/** `isola dev worker.ts`: one Worker in this process behind a plain HTTP server, reloaded as its source changes. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, extname, relative, resolve } from 'node:path';
import { createRuntime, type Runtime } from '../index.ts';
import { createBundler, MAIN_MODULE, type Bundler } from './bundle.ts';
import { CommandError } from './command-error.ts';
import { toRecordLines } from './events.ts';
import { createNodeHandler } from './node-handler.ts';
import { defineCommand, UsageError } from './options.ts';
import { paintUrl, toListenError } from './serve.ts';
import { untilStopped } from './shutdown.ts';
import { paint, printError, printLine, toDuration } from './terminal.ts';
import { watchFiles, type FileWatch } from './watch-files.ts';

/** The only Worker of the runtime. */
const NAME = 'dev';

export const dev = defineCommand({
  name: 'dev',
  summary: 'Run one Worker on this machine and reload it as you save',
  positionals: '<worker.ts>',
  options: {
    port: {
      type: 'integer',
      value: 'N',
      default: 8787,
      min: 0,
      max: 65_535,
      help: 'Port to serve on; 0 takes a free one',
    },
    host: { type: 'string', value: 'ADDRESS', default: '127.0.0.1', help: 'Address to listen on' },
  },
  examples: [
    { line: 'isola dev worker.ts', does: 'Serves http://127.0.0.1:8787/ and prints logs and errors' },
    { line: 'isola dev examples/router/src/index.ts --port 3000', does: 'Another port' },
  ],
  run: async ({ port, host }, positionals) => {
    const [file, ...more] = positionals;
    if (file === undefined) throw new UsageError('isola dev needs a Worker: isola dev worker.ts');
    if (more.length > 0) throw new UsageError(`isola dev runs one Worker, got also '${more[0]}'`);
    const entry = resolve(file);
    if (!existsSync(entry)) throw new UsageError(`Cannot find ${entry}`);
    if (!/^\.[cm]?[jt]sx?$/.test(extname(entry))) {
      throw new UsageError(`Cannot run ${basename(entry)}: must be a .js or .ts file`);
    }
    await using session = await openSession(entry);
    const server = await listen(session.runtime, { port, host });
    const { port: boundPort } = server.address() as AddressInfo;
    printLine(`${paint('green', 'ready')}  ${paintUrl(`http://${host}:${boundPort}/`)}  ${relative('.', entry)}`);
    await untilStopped();
    server.close();
    server.closeAllConnections();
    return 0;
  },
});

interface Session extends AsyncDisposable {
  readonly runtime: Runtime;
}

/** Loads the Worker and keeps it fresh. A first version that does not compile is waited for, as a later one is. */
async function openSession(entry: string): Promise<Session> {
  const bundler = await createBundler(entry);
  const runtime = await createRuntime({
    onRecord: (record) => {
      for (const line of toRecordLines(record)) printLine(line);
    },
  });
  const loader = createLoader({ bundler, runtime, entry });
  await loader.load();
  return {
    runtime,
    async [Symbol.asyncDispose]() {
      loader.close();
      await bundler[Symbol.asyncDispose]();
      await runtime[Symbol.asyncDispose]();
    },
  };
}

interface LoaderOptions {
  readonly bundler: Bundler;
  readonly runtime: Runtime;
  readonly entry: string;
}

interface Loader {
  /** Bundles and deploys. A failure is printed and the version that runs goes on running. */
  load(): Promise<void>;
  close(): void;
}

function createLoader({ bundler, runtime, entry }: LoaderOptions): Loader {
  let watch: FileWatch | undefined;
  let queue: Promise<void> = Promise.resolve();
  let hasLoaded = false;
  let isClosed = false;

  const loadOnce = async (): Promise<void> => {
    if (isClosed) return;
    const startedAt = performance.now();
    try {
      const bundle = await bundler.bundle();
      watch?.update(bundle.inputs);
      await runtime.deploy(NAME, {
        modules: Object.fromEntries(bundle.modules),
        sourceMaps: Object.fromEntries(bundle.sourceMaps),
        main: MAIN_MODULE,
        format: bundle.format,
      });
      const verb = hasLoaded ? 'reloaded' : 'loaded';
      hasLoaded = true;
      printLine(`${paint('green', verb)} in ${toDuration(performance.now() - startedAt)}`);
    } catch (error) {
      printError(`${paint('red', 'error', process.stderr)}: ${toMessage(error)}`);
      printError(hasLoaded ? 'The version before goes on running.' : 'Waiting for a change …');
    }
  };
  // One after the other: two quick saves must not overtake each other.
  const load = (): Promise<void> => (queue = queue.then(loadOnce));
  watch = watchFiles([entry], () => void load());
  return {
    load,
    close() {
      isClosed = true;
      watch.close();
    },
  };
}

async function listen(runtime: Runtime, { port, host }: { port: number; host: string }): Promise<Server> {
  const server = createServer(createNodeHandler((request) => runtime.fetch(NAME, request)));
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
