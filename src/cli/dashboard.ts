/** The dashboard's files: built from dashboard/ when they are missing or older than their sources, never committed. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { startProgress } from './progress.ts';
import { ROOT } from './version.ts';

const FOLDER = join(ROOT, 'dashboard');
const DIST = join(FOLDER, 'dist');
const BUILDING = 'building-';
const ABANDONED_MS = 3_600_000; // a build that was killed left its folder
const HASH_CHARS = 20;

/**
 * The folder of a build of the sources as they are; makes it first when there is none. The build is a process of its
 * own, and moved into place when it is complete: several that start at once each find a whole one.
 */
export async function provideDashboard(): Promise<string> {
  const name = hashSources();
  const folder = join(DIST, name);
  if (existsSync(folder)) return folder;
  using _progress = startProgress({ label: 'building the dashboard' });
  mkdirSync(DIST, { recursive: true });
  const target = mkdtempSync(join(DIST, BUILDING));
  try {
    await runBuild(target);
    moveInto(target, folder);
  } finally {
    rmSync(target, { recursive: true, force: true });
  }
  removeOthers(name);
  return folder;
}

/** Of everything that the build reads: the sources, and which packages there are. */
function hashSources(): string {
  const files = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(FOLDER, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('dist'))
    .toSorted();
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'package.json')));
  for (const file of files) hash.update(`\0${file}\0`).update(readFileSync(join(FOLDER, file)));
  return hash.digest('hex').slice(0, HASH_CHARS);
}

async function runBuild(target: string): Promise<void> {
  const output: Buffer[] = [];
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env;
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(process.execPath, [join(FOLDER, 'build.ts'), target], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...env, NODE_ENV: 'production' },
    });
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`Cannot build the dashboard: ${Buffer.concat(output).toString('utf8').trim()}`);
}

function moveInto(target: string, folder: string): void {
  try {
    renameSync(target, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // otherwise another process was faster
  }
}

/** Whoever serves an older build has it in memory. */
function removeOthers(name: string): void {
  for (const other of readdirSync(DIST)) {
    if (other === name) continue;
    const path = join(DIST, other);
    const isUnderWay = other.startsWith(BUILDING) && Date.now() - mtimeOf(path) < ABANDONED_MS;
    if (!isUnderWay) rmSync(path, { recursive: true, force: true });
  }
}

function mtimeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
