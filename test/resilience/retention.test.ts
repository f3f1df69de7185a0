/** Old versions go from a real platform: what wrangler, visitors and the disk see of it, also after kill -9. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { toUploadForm } from '../helpers/quick-deploy.ts';

const SCRIPT = '/accounts/main/workers/scripts/app';
const KEEP = 5;

let platform: TestPlatform;
before(async () => {
  platform = await startTestPlatform(['--api-rate', '0', '--keep-versions', String(KEEP), '--cells', '1']);
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

async function versions(): Promise<{ id: string; number: number }[]> {
  return (await call<{ items: { id: string; number: number }[] }>('GET', `${SCRIPT}/versions`)).items;
}

const codeOf = (text: string): FormData => toUploadForm(`export default { fetch: () => new Response('${text}') }`);

async function upload(text: string): Promise<string> {
  return (await call<{ id: string }>('POST', `${SCRIPT}/versions`, codeOf(text))).id;
}

async function deploy(id: string): Promise<void> {
  const body = { strategy: 'percentage', versions: [{ version_id: id, percentage: 100 }] };
  await call('POST', `${SCRIPT}/deployments`, body);
}

/** Resolves once there are that many. Removal comes behind the answer to the upload. */
async function untilVersions(count: number): Promise<number[]> {
  for (;;) {
    const listed = await versions();
    if (listed.length <= count) return listed.map(({ number }) => number);
  }
}

async function untilFiles(count: number): Promise<void> {
  for (;;) {
    const entries = await readdir(join(platform.dataDir, 'blobs'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name));
    assert.ok(files.length >= count, `${files.length} files, ${count} are needed`);
    if (files.length === count) return;
  }
}

describe('old versions on a platform', () => {
  it('go with their preview and their files; wrangler lists and rolls back what is left', async () => {
    await call('PUT', SCRIPT, codeOf('1'));
    await call('POST', `${SCRIPT}/subdomain`, { enabled: true, previews_enabled: true });
    const second = await upload('2');
    const preview = `${second.slice(0, 8)}-app`;
    assert.equal((await platform.request(preview, '/')).text, '2');
    await deploy(await upload('3'));
    await upload('4');
    await upload('5');
    await upload('6');
    assert.deepEqual(await untilVersions(KEEP), [6, 5, 4, 3, 1]);
    assert.equal((await platform.control(`${SCRIPT}/versions/${second}`)).status, 404);
    while ((await platform.request(preview, '/')).status !== 404); // gateways hear of it a moment later
    await untilFiles(KEEP);
    const args = ['--name', 'app'];
    const list = await platform.wrangler('examples/hello', ['deployments', 'list', ...args]);
    assert.equal([...list.matchAll(/\(100%\)/g)].length, 2);
    await platform.wrangler('examples/hello', ['rollback', '--yes', '--message', 'back', ...args]);
    assert.equal((await platform.request('app', '/')).text, '1');
    await assert.rejects(
      platform.wrangler('examples/hello', ['rollback', second, '--yes', '--message', 'x', ...args]),
      /10100/,
    );
  });

  it('and their files go at the next start when the platform is killed beside it', async () => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 4; i++) await upload(`round ${round}, ${i}`);
      await platform.restart('SIGKILL');
      const left = await untilVersions(KEEP);
      assert.ok(left.includes(1) && left.includes(3) && left.length === KEEP, left.join());
      await untilFiles(KEEP);
      assert.equal((await platform.request('app', '/')).text, '1');
    }
    const numbers = (await versions()).map(({ number }) => number);
    assert.equal(Math.max(...numbers), 18);
  });
});
