/**
 * A whole platform for end-to-end tests: `bin/isola.mjs serve` as a process of its own, on free ports, with a data
 * folder that is removed at the end. Workers are deployed by the stock wrangler; requests go in by the gateway's port.
 */
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { type IsolaProcess, ROOT, spawnIsola } from './isola-process.ts';
import { runWrangler, spawnWrangler, type WranglerProcess } from './wrangler.ts';

const TOKEN = 'token-of-the-end-to-end-tests';

export interface TestRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Of the Worker; the first one unless given. */
  readonly account?: string;
}

export interface TestWrangler {
  readonly input?: string;
  /** Besides those that point it at the platform, or instead of them. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface TestResponse {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface TestPlatform extends AsyncDisposable {
  readonly gatewayUrl: string;
  readonly controlUrl: string;
  readonly account: string;
  readonly token: string;
  /** All lines of `serve --json` so far. */
  readonly output: readonly string[];
  /** All lines that it wrote to standard error so far. */
  readonly errors: readonly string[];
  readonly dataDir: string;
  /** The next line of `serve --json` that fits. Throws when the platform ends first. */
  line(pattern: RegExp): Promise<string>;
  /** Runs `wrangler deploy` in a folder, relative to the checkout. Resolves to what it printed; throws when it fails. */
  deploy(folder: string, args?: readonly string[]): Promise<string>;
  /** Runs any wrangler command against this platform. */
  wrangler(folder: string, args: readonly string[], options?: TestWrangler): Promise<string>;
  /** The same, for a command that goes on until it is stopped. */
  spawnWrangler(folder: string, args: readonly string[], options?: TestWrangler): WranglerProcess;
  /** Asks a Worker, by its name, and reads the whole answer. */
  request(worker: string, path: string, options?: TestRequest): Promise<TestResponse>;
  /** The same, resolved once the headers are there: for answers that stream. */
  open(worker: string, path: string, options?: TestRequest): Promise<IncomingMessage>;
  /** One call of the control API, below `/client/v4`. */
  control(path: string, init?: RequestInit): Promise<Response>;
  /**
   * Ends the platform and starts it again on its data folder: with SIGKILL as a crash would. Ports and `output` are
   * others afterwards.
   */
  restart(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Sends SIGTERM. Resolves once the platform has ended with code 0; throws otherwise. `keep`: where its data goes. */
  stop(options?: { readonly keep: string }): Promise<void>;
}

interface Running {
  readonly server: IsolaProcess;
  readonly pid: number;
  readonly gateway: URL;
  readonly controlUrl: string;
  readonly account: string;
}

/** `data`: a folder to begin with a copy of. `env`: more variables. */
export async function startTestPlatform(
  args: readonly string[] = [],
  { data, env = {} }: { data?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<TestPlatform> {
  const folder = await mkdtemp(join(tmpdir(), 'isola-test-'));
  const dataDir = join(folder, 'data');
  if (data !== undefined) await cp(data, dataDir, { recursive: true });
  const start = async (): Promise<Running> => {
    const ports = ['--port', '0', '--control-port', '0'];
    const server = spawnIsola(['serve', '--json', ...ports, '--data', dataDir, ...args], {
      ISOLA_ADMIN_TOKEN: TOKEN,
      ...env,
    });
    const { pid } = JSON.parse(await server.line(/"event":"starting"/)) as { pid: number };
    const ready = JSON.parse(await server.line(/"event":"ready"/)) as Record<'gateway' | 'control' | 'account', string>;
    return { server, pid, gateway: new URL(ready.gateway), controlUrl: ready.control, account: ready.account };
  };
  let running = await start();

  const toWranglerOptions = (project: string, { env, ...options }: TestWrangler) => ({
    cwd: resolve(ROOT, project),
    home: folder,
    env: {
      CLOUDFLARE_API_BASE_URL: `${running.controlUrl}/client/v4`,
      CLOUDFLARE_API_TOKEN: TOKEN,
      CLOUDFLARE_ACCOUNT_ID: running.account,
      ...env,
    },
    ...options,
  });
  const wrangler: TestPlatform['wrangler'] = (project, wranglerArgs, options = {}) =>
    runWrangler(wranglerArgs, toWranglerOptions(project, options));
  const open = async (worker: string, path: string, options: TestRequest = {}): Promise<IncomingMessage> => {
    const { gateway } = running;
    const { account = running.account } = options;
    const outgoing = httpRequest({
      host: gateway.hostname,
      port: gateway.port,
      path,
      method: options.method ?? 'GET',
      // Not by name: whether *.localhost resolves depends on the machine.
      headers: { host: `${worker}.${account}.localhost:${gateway.port}`, ...options.headers },
      agent: false,
    });
    outgoing.end(options.body);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return incoming;
  };

  const end = async (): Promise<void> => {
    const { server } = running;
    server.kill('SIGTERM');
    const { code, signal } = await server.exited;
    // `serve --json` promises JSON lines and nothing else: every end-to-end test checks it.
    for (const line of server.stdout) JSON.parse(line);
    if (code !== 0) throw new Error(`the platform ended with ${signal ?? `code ${code}`}\n${server.stderr.join('\n')}`);
  };
  let stopping: Promise<void> | undefined;
  const stop: TestPlatform['stop'] = ({ keep } = { keep: '' }) =>
    (stopping ??= end()
      .then(() => (keep === '' ? undefined : cp(dataDir, keep, { recursive: true })))
      .finally(() => rm(folder, { recursive: true, force: true })));
  return {
    get gatewayUrl() {
      return running.gateway.origin;
    },
    get controlUrl() {
      return running.controlUrl;
    },
    get output() {
      return running.server.stdout;
    },
    get errors() {
      return running.server.stderr;
    },
    dataDir,
    account: running.account,
    token: TOKEN,
    line: (pattern) => running.server.line(pattern),
    wrangler,
    spawnWrangler: (project, wranglerArgs, options = {}) =>
      spawnWrangler(wranglerArgs, toWranglerOptions(project, options)),
    deploy: (project, deployArgs = []) => wrangler(project, ['deploy', ...deployArgs]),
    open,
    async request(worker, path, options) {
      const incoming = await open(worker, path, options);
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, text: await readText(incoming) };
    },
    control(path, init = {}) {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${TOKEN}`);
      return fetch(`${running.controlUrl}/client/v4${path}`, { ...init, headers });
    },
    async restart(signal = 'SIGTERM') {
      if (signal === 'SIGTERM') await end();
      else {
        process.kill(running.pid, 'SIGKILL'); // the platform itself: `server` is its launcher
        await running.server.exited;
      }
      running = await start();
    },
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}
