/** The stock wrangler of node_modules, kept away from the machine's own settings and from the internet. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const WRANGLER = join(
  dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
  'wrangler-dist',
  'cli.js', // bin/wrangler.js only starts this in a second process
);

export interface WranglerOptions {
  readonly cwd: string;
  /** Where it keeps its settings and logs. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Resolves to what wrangler printed; throws with it when wrangler fails. */
export async function runWrangler(args: readonly string[], { cwd, home, env }: WranglerOptions): Promise<string> {
  const child = spawn(process.execPath, ['--no-warnings', WRANGLER, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
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
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`wrangler ${args.join(' ')} failed with ${code}\n${output}`);
  return output;
}
