/** `isola secrets rotate` on a platform that serves, and a platform that is killed in the middle of it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { runIsola } from '../helpers/isola-command.ts';
import { startLoad } from '../helpers/load.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { toUploadForm } from '../helpers/quick-deploy.ts';

const CODE = 'export default { fetch: (_request, env) => new Response(env.SECRET) }';
const WORKERS = 4;
const VERSIONS = 75; // of each; together six transactions of a rotation

interface Progress {
  readonly state: string;
  readonly total: number;
  readonly done: number;
  readonly unreadable: readonly string[];
}

let platform: TestPlatform;
/** By version, of the Workers by their number. */
const secrets: Map<string, string>[] = [];

before(async () => {
  platform = await startTestPlatform(['--api-rate', '0']);
  await Promise.all(Array.from({ length: WORKERS }, (_, worker) => uploadVersions(worker)));
});
after(() => platform.stop());

async function call<T>(method: string, path: string, body?: FormData | object): Promise<T> {
  const response = await platform.control(path, {
    method,
    ...(body !== undefined && { body: body instanceof FormData ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.equal(response.status, 200, `${method} ${path}: ${text}`);
  return (JSON.parse(text) as { result: T }).result;
}

async function uploadVersions(worker: number): Promise<void> {
  const script = `/accounts/main/workers/scripts/w${worker}`;
  const known = new Map<string, string>();
  secrets[worker] = known;
  await call('PUT', script, toUploadForm(CODE));
  for (let i = 0; i < VERSIONS; i++) {
    const text = `value ${i} of ${worker}`;
    const form = toUploadForm(CODE, [{ type: 'secret_text', name: 'SECRET', text }]);
    // oxlint-disable-next-line no-await-in-loop -- a Worker's uploads go one after another anyway
    const { id } = await call<{ id: string }>('POST', `${script}/versions`, form);
    known.set(id, text);
  }
}

/** Some versions of each Worker are deployed, and answer with what they were uploaded with. */
async function checkSecrets(): Promise<void> {
  for (const [worker, known] of secrets.entries()) {
    for (const [version, text] of [...known].filter((_, i) => i % 30 === 29)) {
      const versions = [{ version_id: version, percentage: 100 }];
      await call('POST', `/accounts/main/workers/scripts/w${worker}/deployments?force=true`, {
        strategy: 'percentage',
        versions,
      });
      assert.equal((await platform.request(`w${worker}`, '/')).text, text);
    }
  }
}

describe('isola secrets rotate', () => {
  it('goes on beside requests, and tells when it is done', async () => {
    await call('PUT', '/accounts/main/workers/scripts/busy', toUploadForm(CODE, []));
    await call('PUT', '/accounts/main/workers/scripts/busy/secrets', { name: 'SECRET', text: 'busy' });
    const load = startLoad({ gatewayUrl: platform.gatewayUrl, host: 'busy.main.localhost', clients: 4 });
    await load.answered(200);
    const rotating = runIsola(platform, ['secrets', 'rotate', '--json']);
    for (let i = 0; i < 5; i++) {
      await call('PUT', '/accounts/main/workers/scripts/busy/secrets', { name: 'OTHER', text: `${i}` });
    }
    const { stdout, stderr, code } = await rotating;
    assert.equal(code, 0, stderr);
    const { state, done, unreadable } = JSON.parse(stdout) as Progress;
    assert.ok(done >= WORKERS * VERSIONS, stdout);
    assert.deepEqual([state, unreadable], ['done', []]);
    const { statuses, failures } = await load.stop();
    assert.deepEqual([[...statuses.keys()], failures], [[200], []]);
    await checkSecrets();
  });

  it('is ended by the next start when the platform is killed in the middle, with every secret there', async () => {
    let progress: Progress;
    do {
      const { state, total } = await call<Progress>('POST', '/isola/secrets/rotation');
      assert.deepEqual([state, total >= WORKERS * VERSIONS], ['running', true]);
      await platform.restart('SIGKILL');
      do progress = await call('GET', '/isola/secrets/rotation');
      while (progress.state === 'running');
    } while (progress.state === 'idle'); // it was done before it was killed
    assert.deepEqual([progress.state, progress.unreadable], ['done', []]);
    await checkSecrets();
    const { stdout, code } = await runIsola(platform, ['secrets', 'rotate']);
    assert.equal(code, 0);
    assert.match(stdout, /^The secrets of \d+ versions are sealed with new keys$/);
    await checkSecrets();
  });
});
