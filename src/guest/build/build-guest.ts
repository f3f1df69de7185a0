/** Builds the guest runtime, or reads what has been built of the same sources. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { version as esbuildVersion } from 'esbuild';
import { loadAssets } from './assets.ts';
import { bundleCore } from './bundle-core.ts';
import { bundlePart } from './bundle-part.ts';
import { GUEST, PARTS } from './options.ts';

export interface GuestScript {
  readonly source: string;
  /** Source text of each part by its name. */
  readonly parts: Readonly<Record<string, string>>;
  /** Binaries that parts need, by name: base64 of their gzip form. */
  readonly assets: Readonly<Record<string, string>>;
  /** Hex SHA-256 of everything the scripts are made of. */
  readonly hash: string;
}

type Scripts = Omit<GuestScript, 'hash'>;

export async function buildGuest(cacheDirectory?: string): Promise<GuestScript> {
  const hash = await hashInputs();
  const cached = cacheDirectory === undefined ? undefined : join(cacheDirectory, `guest-${hash}.json`);
  if (cached !== undefined) {
    const text = await readFile(cached, 'utf8').catch(() => undefined);
    if (text !== undefined) return { ...(JSON.parse(text) as Scripts), hash };
  }
  const scripts = await bundleAll();
  // A checkout that this user may not write to costs a build at each start, nothing more.
  if (cached !== undefined) await writeWhole(cached, JSON.stringify(scripts)).catch(() => {});
  return { ...scripts, hash };
}

/** Synchronous, because esbuild's other form leaves a helper process behind for as long as this one lives. */
async function bundleAll(): Promise<Scripts> {
  const files = (await readdir(PARTS)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const bundles = files.toSorted().map((file) => bundlePart(basename(file, '.ts'), join(PARTS, file)));
  const parts = Object.fromEntries(bundles.map(({ name, text }) => [name, text]));
  return { source: bundleCore(bundles), parts, assets: await loadAssets() };
}

async function hashInputs(): Promise<string> {
  const hash = createHash('sha256').update(esbuildVersion);
  hash.update(await readFile(join(GUEST, '../../package-lock.json')));
  for (const path of ['../wasm-memory.ts', ...(await readdir(GUEST, { recursive: true })).toSorted()]) {
    if (path.endsWith('.ts') && !path.endsWith('.test.ts')) {
      hash.update(`\0${path}\0`).update(await readFile(join(GUEST, path)));
    }
  }
  return hash.digest('hex');
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
