/** `isola start`, which is what `npm start` runs: the platform with the example Workers on it, ready to curl. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Platform } from '../supervisor/platform.ts';
import { createBundler } from './bundle.ts';
import { deployWorker, type DeployTarget } from './deploy-client.ts';
import { defineCommand } from './options.ts';
import { startProgress } from './progress.ts';
import { FIRST_ACCOUNT, PLATFORM_OPTIONS, paintUrl, servePlatform } from './serve.ts';
import { paint, printLine } from './terminal.ts';
import { ROOT } from './version.ts';
import { readWorkerConfig, type WorkerConfig } from './wrangler-config.ts';

export const start = defineCommand({
  name: 'start',
  summary: 'Run the platform with the example Workers deployed (npm start)',
  positionals: '',
  options: {
    ...PLATFORM_OPTIONS,
    data: { ...PLATFORM_OPTIONS.data, defaultText: '.isola in the checkout' },
  },
  examples: [
    { line: 'isola start', does: 'Then: curl http://hello.main.localhost:8787/' },
    { line: 'isola start --port 9000 --control-port 9001', does: 'When the usual ports are taken' },
  ],
  run: (values) => {
    let workers: readonly WorkerConfig[] = [];
    return servePlatform(values, {
      dataDir: values.data === undefined ? join(ROOT, '.isola') : resolve(values.data),
      prepare: async (platform) => {
        workers = await deployExamples(platform);
      },
      onReady: (platform) => {
        if (!values.json) printWelcome(platform, { workers, baseDomain: values['base-domain'] });
      },
    });
  },
});

async function deployExamples(platform: Platform): Promise<readonly WorkerConfig[]> {
  const target: DeployTarget = {
    controlUrl: platform.controlUrl,
    account: FIRST_ACCOUNT,
    token: platform.adminToken,
  };
  const configs = await readExamples(join(ROOT, 'examples'));
  using progress = startProgress({ label: 'deploying examples', total: configs.length });
  for (const [index, config] of configs.entries()) {
    progress.update(index, config.name);
    // oxlint-disable-next-line no-await-in-loop -- a service binding must find the Worker it names
    await deployExample(target, config);
  }
  return configs;
}

async function deployExample(target: DeployTarget, config: WorkerConfig): Promise<void> {
  await using bundler = await createBundler(config.mainPath, config.build);
  await deployWorker(target, { ...config, ...(await bundler.bundle()) });
}

/** Every wrangler.jsonc under `folder`, one or two levels down; those that others bind to come first. */
async function readExamples(folder: string): Promise<readonly WorkerConfig[]> {
  const paths = await readdir(folder, { recursive: true });
  const files = paths.filter((path) => /^[^/]+(\/[^/]+)?\/wrangler\.jsonc$/.test(path.replaceAll('\\', '/')));
  const configs = await Promise.all(files.map((file) => readWorkerConfig(join(folder, file))));
  const runnable = configs.filter((config) => existsSync(config.mainPath));
  return runnable.toSorted((a, b) => countServices(a) - countServices(b) || a.name.localeCompare(b.name));
}

function countServices(config: WorkerConfig): number {
  return config.bindings.filter(({ type }) => type === 'service').length;
}

interface Welcome {
  readonly workers: readonly WorkerConfig[];
  readonly baseDomain: string;
}

function printWelcome(platform: Platform, { workers, baseDomain }: Welcome): void {
  const port = new URL(platform.gatewayUrl).port;
  const toHost = (name: string): string => `${name}.${FIRST_ACCOUNT}.${baseDomain}${port === '' ? '' : `:${port}`}`;
  const width = Math.max(0, ...workers.map(({ name }) => name.length));
  printLine();
  for (const { name } of workers) printLine(`  ${name.padEnd(width)}  ${paintUrl(`http://${toHost(name)}/`)}`);
  printLine();
  printLine(`Try       curl http://${toHost('hello')}/`);
  // curl and browsers resolve *.localhost to this machine by themselves; other programs may not.
  printLine(`or        curl -H 'Host: ${toHost('hello')}' ${platform.gatewayUrl}/`);
  printLine(`Dashboard ${paintUrl(`${platform.controlUrl}/`)}, signed in with the token`);
  printLine();
  printLine(paint('dim', 'Deploy a Worker of your own, in its folder:'));
  printLine(`  export CLOUDFLARE_API_BASE_URL=${platform.controlUrl}/client/v4`);
  printLine(`  export CLOUDFLARE_ACCOUNT_ID=${FIRST_ACCOUNT} CLOUDFLARE_API_TOKEN=<the token>`);
  printLine('  npx wrangler deploy');
  printLine(paint('dim', '\nCtrl-C stops it.'));
}
