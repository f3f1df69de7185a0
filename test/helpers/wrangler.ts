/** The stock wrangler of node_modules, kept away from the machine's own settings and from the internet. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** The folder of another wrangler's package, to see what that one gets: `ISOLA_WRANGLER=/tmp/x/node_modules/wrangler`. */
const PACKAGE =
  process.env['ISOLA_WRANGLER'] ?? dirname(createRequire(import.meta.url).resolve('wrangler/package.json'));
const WRANGLER = join(PACKAGE, 'wrangler-dist', 'cli.js'); // bin/wrangler.js only starts this in a second process

export const WRANGLER_VERSION = (JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8')) as { version: string })
  .version;

export interface WranglerOptions {
  readonly cwd: string;
  /** Where it keeps its settings and logs. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
  /** What it reads, e.g. a secret. */
  readonly input?: string;
}

/** `exited` resolves with the code once its output has been read. */
export interface WranglerProcess {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exited: Promise<number | null>;
}

/** Resolves to what wrangler printed; throws with it when wrangler fails. */
export async function runWrangler(args: readonly string[], options: WranglerOptions): Promise<string> {
  const { output, exited } = spawnWrangler(args, options);
  const code = await exited;
  if (code !== 0) throw new Error(`wrangler ${args.join(' ')} failed with ${code}\n${output()}`);
  return output();
}

/** For commands that go on until they are stopped. */
export function spawnWrangler(args: readonly string[], { cwd, home, env, input }: WranglerOptions): WranglerProcess {
  const child = spawn(process.execPath, ['--no-warnings', WRANGLER, ...args], {
    cwd,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      XDG_CONFIG_HOME: home,
      WRANGLER_LOG_PATH: join(home, 'wrangler.log'),
      WRANGLER_SEND_METRICS: 'false',
      WRANGLER_HIDE_BANNER: 'true',
      CI: 'true',
      NO_COLOR: '1',
      ...env,
    },
  });
  child.stdin?.end(input);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  return { child, output: () => output, exited };
}
