import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

describe('A Worker in the hands of stock wrangler', () => {
  let platform: TestPlatform;
  let folder: string;

  before(async () => {
    platform = await startTestPlatform();
    folder = await mkdtemp(join(tmpdir(), 'isola-project-'));
    await writeFile(
      join(folder, 'wrangler.jsonc'),
      JSON.stringify({ name: 'app', main: 'index.ts', compatibility_date: '2026-01-01', vars: { MODE: 'test' } }),
    );
  });
  after(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const write = (body: string) =>
    writeFile(join(folder, 'index.ts'), `export default { fetch(_: Request, env: { MODE: string }) { ${body} } };\n`);

  it('is deployed, deployed again, rolled back and deleted', async () => {
    await write('return new Response(`one ${env.MODE}`);');
    assert.match(await platform.deploy(folder), /Current Version ID: [0-9a-f-]{36}/);
    assert.equal((await platform.request('app', '/')).text, 'one test');

    await write('return new Response("two");');
    await platform.deploy(folder);
    assert.equal((await platform.request('app', '/')).text, 'two');

    await platform.wrangler(folder, ['rollback', '-y']);
    assert.equal((await platform.request('app', '/')).text, 'one test');
    assert.match(await platform.wrangler(folder, ['versions', 'list']), /Version ID/);
    assert.match(await platform.wrangler(folder, ['deployments', 'list']), /rollback/i);

    await platform.wrangler(folder, ['delete', '--force']);
    assert.equal((await platform.request('app', '/')).status, 404);
  });

  it('is refused, with the position, when it does not start; what serves goes on', async () => {
    await write('return new Response("good");');
    await platform.deploy(folder);
    await writeFile(
      join(folder, 'index.ts'),
      'const config: { a?: { b: number } } = {};\nconfig.a!.b;\nexport default { fetch() {} };\n',
    );
    await assert.rejects(platform.deploy(folder), /Cannot read properties of undefined[\s\S]*index\.ts:2[\s\S]*10021/);
    await writeFile(join(folder, 'index.ts'), 'for (;;);\nexport default { fetch() {} };\n');
    await assert.rejects(platform.deploy(folder), /startup exceeded CPU time limit[\s\S]*10021/i);
    assert.equal((await platform.request('app', '/')).text, 'good');
  });
});
