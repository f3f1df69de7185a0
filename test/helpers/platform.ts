/**
 * A whole platform for end-to-end tests: `bin/isola.mjs serve` as a process of its own, on free ports, with a data
 * folder that is removed at the end. Workers are deployed by the stock wrangler; requests go in by the gateway's port.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { ROOT, spawnIsola } from './isola-process.ts';
import { runWrangler } from './wrangler.ts';

const TOKEN = 'token-of-the-end-to-end-tests';

export interface TestRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
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
  /** The next line of `serve --json` that fits. Throws when the platform ends first. */
  line(pattern: RegExp): Promise<string>;
  /** Runs `wrangler deploy` in a folder, relative to the checkout. Resolves to what it printed; throws when it fails. */
  deploy(folder: string, args?: readonly string[]): Promise<string>;
  /** Runs any wrangler command against this platform. */
  wrangler(folder: string, args: readonly string[]): Promise<string>;
  /** Asks a Worker, by its name, and reads the whole answer. */
  request(worker: string, path: string, options?: TestRequest): Promise<TestResponse>;
  /** The same, resolved once the headers are there: for answers that stream. */
  open(worker: string, path: string, options?: TestRequest): Promise<IncomingMessage>;
  /** One call of the control API, below `/client/v4`. */
  control(path: string, init?: RequestInit): Promise<Response>;
  /** Sends SIGTERM. Resolves once the platform has ended with code 0; throws otherwise. */
  stop(): Promise<void>;
}

export async function startTestPlatform(args: readonly string[] = []): Promise<TestPlatform> {
  const folder = await mkdtemp(join(tmpdir(), 'isola-test-'));
  const ports = ['--port', '0', '--control-port', '0'];
  const server = spawnIsola(['serve', '--json', ...ports, '--data', join(folder, 'data'), ...args], {
    ISOLA_ADMIN_TOKEN: TOKEN,
  });
  const ready = JSON.parse(await server.line(/"event":"ready"/)) as Record<'gateway' | 'control' | 'account', string>;
  const gateway = new URL(ready.gateway);
  const { control: controlUrl, account } = ready;

  const wrangler = (project: string, wranglerArgs: readonly string[]): Promise<string> =>
    runWrangler(wranglerArgs, {
      cwd: resolve(ROOT, project),
      home: folder,
      env: {
        CLOUDFLARE_API_BASE_URL: `${controlUrl}/client/v4`,
        CLOUDFLARE_API_TOKEN: TOKEN,
        CLOUDFLARE_ACCOUNT_ID: account,
      },
    });
  const open = async (worker: string, path: string, options: TestRequest = {}): Promise<IncomingMessage> => {
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

  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      server.kill('SIGTERM');
      const { code, signal } = await server.exited;
      await rm(folder, { recursive: true, force: true });
      // `serve --json` promises JSON lines and nothing else: every end-to-end test checks it.
      for (const line of server.stdout) JSON.parse(line);
      if (code !== 0)
        throw new Error(`the platform ended with ${signal ?? `code ${code}`}\n${server.stderr.join('\n')}`);
    })();
    return stopping;
  };
  return {
    gatewayUrl: gateway.origin,
    controlUrl,
    account,
    token: TOKEN,
    output: server.stdout,
    line: (pattern) => server.line(pattern),
    wrangler,
    deploy: (project, deployArgs = []) => wrangler(project, ['deploy', ...deployArgs]),
    open,
    async request(worker, path, options) {
      const incoming = await open(worker, path, options);
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, text: await readText(incoming) };
    },
    control(path, init = {}) {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${TOKEN}`);
      return fetch(`${controlUrl}/client/v4${path}`, { ...init, headers });
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
