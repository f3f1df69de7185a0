import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT } from '../helpers/isola-process.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

const FOLDER = join(ROOT, 'examples', 'wasm');

describe('examples/wasm', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform();
    await platform.deploy('examples/wasm');
  });
  after(() => platform.stop());

  it('draws with WebAssembly', async () => {
    const { status, text } = await platform.request('wasm', '/?width=40&height=20');
    assert.equal(status, 200);
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.length, 20);
    assert.match(lines[10] ?? '', /@{8,}/, 'the middle row goes through the set');
    assert.equal(lines[2], lines[18], 'the set is symmetric');
  });

  it('refuses a picture that does not fit its memory', async () => {
    assert.equal((await platform.request('wasm', '/?width=61440&height=1')).status, 200);
    assert.equal((await platform.request('wasm', '/?width=61441&height=1')).status, 400);
  });

  it('keeps mandelbrot.wasm as built from assembly/index.ts', async () => {
    const readme = await readFile(join(FOLDER, 'README.md'), 'utf8');
    const [, script = '', args = ''] = /^node (\S+) (.*)$/m.exec(readme) ?? [];
    const folder = await mkdtemp(join(tmpdir(), 'isola-wasm-'));
    const built = join(folder, 'built.wasm');
    const compilerArgs = [script, ...args.replace('mandelbrot.wasm', built).split(' ')];
    const { stderr, status } = spawnSync(process.execPath, compilerArgs, { cwd: FOLDER });
    assert.equal(status, 0, stderr.toString());
    const [now, then] = await Promise.all([readFile(built), readFile(join(FOLDER, 'mandelbrot.wasm'))]);
    await rm(folder, { recursive: true });
    assert.ok(now.equals(then), 'run the command in examples/wasm/README.md');
  });
});
