/** A typed project: `wrangler types`, the type checker, a deployment, requests. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { deployCode } from '../helpers/quick-deploy.ts';

const run = promisify(execFile);

const INDEX = `import type { Plan } from './plans';
import { plans } from './plans';

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const name = new URL(request.url).searchParams.get('plan') ?? env.DEFAULTS.plan;
    const plan: Plan | undefined = plans.get(name);
    if (plan === undefined) return new Response('no such plan', { status: 404 });
    const auth = await env.AUTH.fetch('http://auth/', { headers: { 'x-plan': name } });
    ctx.waitUntil(Promise.resolve());
    const version: string = env.VERSION.id;
    return Response.json({ mode: env.MODE, plan, auth: await auth.text(), versioned: version.length > 0 });
  },
} satisfies ExportedHandler<Env>;
`;

const PLANS = `export interface Plan {
  readonly price: number;
}

export const plans: ReadonlyMap<string, Plan> = new Map([
  ['small', { price: 1 }],
  ['large', { price: 10 }],
]);
`;

describe('A typed project', () => {
  let platform: TestPlatform;
  let folder: string;
  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'isola-typed-'));
    await mkdir(join(folder, 'src'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'src/index.ts'), INDEX);
    await writeFile(join(folder, 'src/plans.ts'), PLANS);
    await writeFile(
      join(folder, 'wrangler.jsonc'),
      JSON.stringify({
        name: 'typed',
        main: 'src/index.ts',
        compatibility_date: '2026-01-01',
        vars: { MODE: 'test', DEFAULTS: { plan: 'small' } },
        services: [{ binding: 'AUTH', service: 'auth' }],
        version_metadata: { binding: 'VERSION' },
      }),
    );
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const check = async (types: readonly string[]): Promise<string> => {
    const compilerOptions = {
      target: 'es2024',
      lib: ['es2024'],
      module: 'esnext',
      moduleResolution: 'bundler',
      strict: true,
      noEmit: true,
      skipLibCheck: true, // as wrangler's own templates have it
      types,
    };
    const generated = types.length === 0 ? ['worker-configuration.d.ts'] : ['env.d.ts'];
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src', ...generated] }));
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    return run(process.execPath, [tsc, '-p', folder], { cwd: folder }).then(
      ({ stdout }) => stdout,
      (error: Error & { stdout?: string }) => error.stdout ?? error.message,
    );
  };
  const serves = async (): Promise<void> => {
    const { status, text } = await platform.request('typed', '/?plan=large');
    assert.equal(status, 200);
    const answer = { mode: 'test', plan: { price: 10 }, auth: 'allowed large', versioned: true };
    assert.deepEqual(JSON.parse(text), answer);
    assert.equal((await platform.request('typed', '/?plan=none')).status, 404);
  };

  it('compiles with what wrangler types generates, and runs', async () => {
    await platform.wrangler(folder, ['types']);
    assert.equal(await check([]), '');
    await writeFile(join(folder, 'src/wrong.ts'), 'export const wrong = (env: Env): number => env.MODE;\n');
    assert.match(await check([]), /src\/wrong\.ts\(1,\d+\): error TS2322/);
    await rm(join(folder, 'src/wrong.ts'));

    const auth = 'export default { fetch: (request) => new Response(`allowed ${request.headers.get("x-plan")}`) }';
    await deployCode(platform, 'auth', auth);
    await platform.deploy(folder);
    await serves();
  });

  it('compiles with @cloudflare/workers-types', async () => {
    await platform.wrangler(folder, ['types', 'env.d.ts', '--include-runtime=false']);
    assert.equal(await check(['@cloudflare/workers-types']), '');
  });
});
