/**
 * Builds the guest runtime into one script. Host side; the engine calls it once at start.
 *
 * Promise: the same sources and tools give the same script, and a script already built is read from the cache.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, version as esbuildVersion } from 'esbuild';

export { WARMUP } from './warmup.ts';

const GUEST = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Names that the script binds for itself while it loads: whatever a tenant later puts on the global under `Promise`
 * or `TypeError`, the runtime keeps the original. Not `Date`, which the runtime itself replaces, and nothing of what
 * V8 adds only after a snapshot has been loaded.
 */
const CAPTURED_GLOBALS = [
  'Array',
  'ArrayBuffer',
  'BigInt',
  'BigInt64Array',
  'BigUint64Array',
  'Boolean',
  'DataView',
  'Error',
  'EvalError',
  'FinalizationRegistry',
  'Float32Array',
  'Float64Array',
  'Int16Array',
  'Int32Array',
  'Int8Array',
  'Intl',
  'JSON',
  'Map',
  'Math',
  'Number',
  'Object',
  'Promise',
  'Proxy',
  'RangeError',
  'ReferenceError',
  'Reflect',
  'RegExp',
  'Set',
  'String',
  'Symbol',
  'SyntaxError',
  'TypeError',
  'URIError',
  'Uint16Array',
  'Uint32Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'WeakMap',
  'WeakRef',
  'WeakSet',
];

export interface GuestScript {
  readonly source: string;
  /** Hex SHA-256 of everything the script is made of. */
  readonly hash: string;
}

export async function buildGuest(cacheDirectory?: string): Promise<GuestScript> {
  const hash = await hashInputs();
  const cached = cacheDirectory === undefined ? undefined : join(cacheDirectory, `guest-${hash}.js`);
  if (cached !== undefined) {
    const source = await readFile(cached, 'utf8').catch(() => undefined);
    if (source !== undefined) return { source, hash };
  }
  const source = bundle();
  // A checkout that this user may not write to costs a build at each start, nothing more.
  if (cached !== undefined) await writeWhole(cached, source).catch(() => {});
  return { source, hash };
}

/** Synchronous, because esbuild's other form leaves a helper process behind for as long as this one lives. */
function bundle(): string {
  const result = buildSync({
    entryPoints: [join(GUEST, 'bundle.ts')],
    bundle: true,
    write: false,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    format: 'iife',
    target: 'esnext',
    // Identifiers stay as they are: names of classes and functions show in a Worker, and `keepNames` would give each
    // function a `name` property of its own, 370 kB of heap in every isolate.
    minifyWhitespace: true,
    minifySyntax: true,
    charset: 'ascii',
    legalComments: 'none',
    banner: { js: `(() => {"use strict"; const { ${CAPTURED_GLOBALS.join(', ')} } = globalThis;` },
    footer: { js: '})();' },
    logLevel: 'silent',
  });
  return result.outputFiles[0]!.text;
}

async function hashInputs(): Promise<string> {
  const hash = createHash('sha256').update(esbuildVersion);
  hash.update(await readFile(join(ROOT, 'package-lock.json')));
  for (const path of (await readdir(GUEST, { recursive: true })).toSorted()) {
    if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue;
    const file = join(GUEST, path);
    hash.update(`\0${relative(GUEST, file)}\0`).update(await readFile(file));
  }
  return hash.digest('hex');
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}
