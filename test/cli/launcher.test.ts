/** bin/isola.mjs in a checkout of its own, with an npm that only writes down how it was called. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ROOT } from '../helpers/isola-process.ts';

const MAIN = `
  if (process.argv[2] === 'wait') {
    process.on('SIGTERM', () => process.exit(7));
    setInterval(() => {}, 1000);
  }
  if (process.argv[2] === 'die') process.kill(process.pid, 'SIGKILL');
  const { NODE_COMPILE_CACHE } = process.env;
  console.log(JSON.stringify({ args: process.argv.slice(2), flags: process.execArgv, NODE_COMPILE_CACHE }));
  if (process.argv[2] === 'fail') process.exit(3);
`;

const NPM = `
  const { appendFileSync, mkdirSync, copyFileSync } = require('node:fs');
  appendFileSync('npm-calls.txt', process.argv.slice(2).join(' ') + '\\n');
  if (process.env.NPM_FAILS === process.argv[2]) process.exit(1);
  mkdirSync('node_modules', { recursive: true });
  copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
  console.log('npm talks');
`;

describe('bin/isola.mjs', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isola-launcher-'));
    await mkdir(join(folder, 'bin'));
    await mkdir(join(folder, 'src', 'cli'), { recursive: true });
    await copyFile(join(ROOT, 'bin', 'isola.mjs'), join(folder, 'bin', 'isola.mjs'));
    await writeFile(join(folder, 'src', 'cli', 'main.ts'), MAIN);
    await writeFile(join(folder, 'npm.js'), NPM);
    await writeLock('1.0.0');
  });
  afterEach(() => rm(folder, { recursive: true }));

  const writeLock = (version: string): Promise<void> =>
    writeFile(
      join(folder, 'package-lock.json'),
      JSON.stringify({
        packages: { '': {}, 'node_modules/a': { version }, 'node_modules/b': { version, optional: true } },
      }),
    );
  const start = (args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcessByStdio<null, Readable, Readable> =>
    spawn(process.execPath, [join(folder, 'bin', 'isola.mjs'), ...args], {
      env: { PATH: process.env['PATH'], npm_execpath: join(folder, 'npm.js'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const run = async (args: readonly string[], env?: NodeJS.ProcessEnv) => {
    const child = start(args, env);
    const [stdout, stderr, [code, signal]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>,
    ]);
    return { stdout, stderr, code, signal };
  };
  const npmCalls = (): Promise<string> => readFile(join(folder, 'npm-calls.txt'), 'utf8').catch(() => '');

  it('installs the packages of a fresh checkout, shows it, and keeps standard output clean', async () => {
    const { stdout, stderr, code } = await run(['hello', '--x']);
    assert.equal(code, 0);
    assert.equal(await npmCalls(), 'ci --ignore-scripts --no-audit --no-fund\n');
    assert.match(stderr, /packages are not installed: npm ci --ignore-scripts[\s\S]*npm talks/);
    assert.deepEqual((JSON.parse(stdout) as { args: string[] }).args, ['hello', '--x']);
  });

  it('falls back to npm install, and gives up with what to do', async () => {
    assert.equal((await run([], { NPM_FAILS: 'ci' })).code, 0);
    assert.match(await npmCalls(), /^ci .*\ninstall --ignore-scripts .*\n$/);
    await writeLock('2.0.0');
    const { stderr, code } = await run([], { NPM_FAILS: 'install' });
    assert.equal(code, 1);
    assert.match(stderr, /npm could not install the packages/);
  });

  it('installs nothing when all is there, and what is new when the lock has changed', async () => {
    await run([]);
    await run([]);
    assert.equal((await npmCalls()).split('\n').length, 2, 'one call');
    await writeLock('1.0.1');
    await run([]);
    assert.match(await npmCalls(), /\ninstall --no-save --ignore-scripts .*\n$/);
  });

  it('starts Node with the flags that isolates need, and a compile cache', async () => {
    const { stdout } = await run([], { ISOLA_NO_INSTALL: '1' });
    const { flags, NODE_COMPILE_CACHE } = JSON.parse(stdout) as { flags: string[]; NODE_COMPILE_CACHE: string };
    assert.deepEqual(flags, [
      '--no-node-snapshot',
      '--no-turboshaft-loop-unrolling',
      '--disable-warning=ExperimentalWarning',
    ]);
    assert.equal(NODE_COMPILE_CACHE, join(folder, 'node_modules', '.cache', 'isola'));
  });

  it('passes the exit code on, and the signal that ended the program', async () => {
    const env = { ISOLA_NO_INSTALL: '1' };
    assert.equal((await run(['fail'], env)).code, 3);
    assert.equal((await run(['die'], env)).signal, 'SIGKILL');
  });

  it('passes SIGTERM on and waits', async () => {
    const child = start(['wait'], { ISOLA_NO_INSTALL: '1' });
    const exited = once(child, 'exit');
    await once(createInterface({ input: child.stdout }), 'line');
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [7, null]);
  });
});
