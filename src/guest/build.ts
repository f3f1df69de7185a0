/**
 * Builds the guest runtime: one script that goes into the snapshot, and one for each part that is loaded on first use
 * (parts/). Host side; whoever starts an engine calls it once.
 *
 * Promise: the same sources and tools give the same scripts, and what is already built is read from the cache.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, type Metafile, buildSync, version as esbuildVersion } from 'esbuild';
import { streamsModule } from './streams-source.ts';

export { WARMUP } from './warmup.ts';

const GUEST = fileURLToPath(new URL('.', import.meta.url));
const PARTS = join(GUEST, 'parts');
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

/** Of ours, for libraries that take them from the global: in parts only, where there are some to take. */
const PLATFORM_GLOBALS = ['URL'];

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

const COMMON = {
  bundle: true,
  write: false,
  metafile: true,
  platform: 'neutral',
  mainFields: ['module', 'main'],
  target: 'esnext',
  // Not `keepNames`: it would give each function a `name` property of its own, 370 kB of heap in every isolate. What
  // shows in a Worker gets its name back where it is put on the global.
  minify: true,
  charset: 'ascii',
  legalComments: 'none',
  absWorkingDir: GUEST,
  alias: { 'web-streams-polyfill': streamsModule(join(GUEST, 'shared.ts')) },
  logLevel: 'silent',
} satisfies BuildOptions;

/** What a part finds in the isolate, as it names it. */
const CORE = ['*/core.ts', '*/shared.ts'];

/** Parts of which others import something. */
const SHARED_PARTS = ['events', 'streams', 'forms'];

/** What the core and a part may both contain: constants, and libraries without classes that have to be the same. */
const MAY_BE_TWICE = /^abi\.ts$|\/node_modules\/(?!web-streams-polyfill\/)/;

/** Synchronous, because esbuild's other form leaves a helper process behind for as long as this one lives. */
async function bundleAll(): Promise<Scripts> {
  const files = (await readdir(PARTS)).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const bundles = files.toSorted().map((file) => bundlePart(basename(file, '.ts'), join(PARTS, file)));
  const core = buildSync({
    ...COMMON,
    stdin: { contents: coreEntry(bundles), resolveDir: GUEST, sourcefile: 'entry.ts', loader: 'ts' },
    format: 'iife',
    banner: { js: `(() => {"use strict"; const { ${CAPTURED_GLOBALS.join(', ')} } = globalThis;` },
    footer: { js: '})();' },
  });
  for (const bundle of bundles) checkInputs(bundle, core.metafile);
  const parts = Object.fromEntries(bundles.map(({ name, text }) => [name, text]));
  return { source: core.outputFiles[0]!.text, parts, assets: await loadAssets() };
}

const REWRITER_PAGES = 256; // of 64 KiB: no limit of the isolate's holds for this memory

async function loadAssets(): Promise<Record<string, string>> {
  const binary = await readFile(fileURLToPath(import.meta.resolve('html-rewriter-wasm/dist/html_rewriter_bg.wasm')));
  return { 'html-rewriter': gzipSync(capMemory(binary, REWRITER_PAGES)).toString('base64') };
}

/** Gives the one memory of a WebAssembly binary a maximum. (Core specification, 5.5.8: binary format, memory section.) */
function capMemory(binary: Buffer, maxPages: number): Buffer {
  const MEMORY_SECTION = 5;
  let at = 8; // behind the header
  while (at < binary.length) {
    const start = at;
    const id = binary[at++];
    let size = 0;
    let shift = 0;
    let byte: number;
    do {
      byte = binary[at++]!;
      size |= (byte & 0x7f) << shift; // LEB128
      shift += 7;
    } while (byte >= 0x80);
    if (id === MEMORY_SECTION) {
      const [count, flags, minimum] = binary.subarray(at, at + size);
      if (size !== 3 || count !== 1 || flags !== 0) throw new Error('This memory section is not the one expected');
      const section = [id, 5, 1, 1, minimum!, (maxPages & 0x7f) | 0x80, maxPages >> 7];
      return Buffer.concat([binary.subarray(0, start), Buffer.from(section), binary.subarray(at + size)]);
    }
    at += size;
  }
  throw new Error('This binary has no memory of its own');
}

interface PartBundle {
  readonly name: string;
  readonly text: string;
  /** What it imports of core.ts, and the built-ins it names. */
  readonly imports: readonly string[];
  readonly captured: readonly string[];
  readonly metafile: Metafile;
}

/**
 * The bundle, and for each part a function that makes what it imports: nothing of it is compiled until the part is
 * loaded. What another part exports is taken from that one, which is loaded for it.
 */
function coreEntry(bundles: readonly PartBundle[]): string {
  const owners = new Map(SHARED_PARTS.flatMap((part) => exportsOf(`parts/${part}.ts`).map((name) => [name, part])));
  const makers = bundles.map(({ name, imports, captured }) => {
    const values = imports.map((key) => {
      const owner = owners.get(key);
      return owner === undefined ? key : `get ${key}() { return loadPart('${owner}').${key}; }`;
    });
    return `${JSON.stringify(name)}: () => ({ ${values.map((value) => `${value}, `).join('')}captured: { ${captured.join(', ')} } }),`;
  });
  const names = new Set(bundles.flatMap(({ imports }) => imports).filter((key) => !owners.has(key)));
  return `
    import './bundle.ts';
    import { setCore } from './runtime/parts.ts';
    import { ${[...names.add('loadPart')].join(', ')} } from './shared.ts';
    setCore({ __proto__: null, ${makers.join('\n')} });`;
}

function exportsOf(file: string): readonly string[] {
  const entryPoints = [join(GUEST, file)];
  const { metafile } = buildSync({ ...COMMON, external: CORE, entryPoints, format: 'esm' });
  return Object.values(metafile.outputs)[0]!.exports;
}

/** Where packages find what others of our parts have, instead of a copy. */
const LINKS = Object.fromEntries([
  ...['abort-controller', 'async_hooks', 'buffer', 'events', 'process', 'stream', 'string_decoder'].flatMap((name) => {
    const file = join(GUEST, 'node/links', `${name.replace('_', '-')}.ts`);
    return [name, `node:${name}`].map((specifier) => [specifier, file]);
  }),
  ...['dns/promises', 'fs/promises', 'module', 'net', 'querystring', 'readline/promises', 'tty'].map((name) => [
    `node:${name}`,
    `unenv/node/${name}`,
  ]),
  ['node:path', 'path-browserify'],
  ['node:stream/promises', join(GUEST, 'node/links/stream-promises.ts')],
  ['node:timers/promises', join(GUEST, 'node/links/timers-promises.ts')],
  ['node:util/types', join(GUEST, 'node/util/types.ts')],
]);

/** `globalThis.Blob` would load its code; see node/links/buffer.ts. */
const PACKAGES = { alias: LINKS, define: { 'globalThis.Blob': 'undefined' } } satisfies BuildOptions;

/**
 * A function of what the part imports (as `require`), which answers the part's exports. Made of an ES module and not by
 * esbuild's CommonJS form: that has helpers which call built-ins when the part is loaded, and by then a tenant may have
 * replaced them.
 */
function bundlePart(name: string, path: string): PartBundle {
  const { outputFiles, metafile } = buildSync({
    ...COMMON,
    // Programs for Node look at names, in errors and of classes.
    ...(name.startsWith('node-') && { minify: false, minifyWhitespace: true, minifySyntax: true, ...PACKAGES }),
    entryPoints: [path],
    external: CORE,
    format: 'esm',
  });
  const { code, imports, exports } = splitModule(outputFiles[0]!.text, name);
  const named = (of: readonly string[]): string[] => of.filter((key) => new RegExp(`\\b${key}\\b`).test(code));
  const captured = named(CAPTURED_GLOBALS);
  const globals = named(PLATFORM_GLOBALS);
  const bindings = imports.map(([key, local]) => (key === local ? key : `${key}: ${local}`));
  const text = `((require) => {
"use strict";
const { ${captured.join(', ')} } = require().captured;
const { ${[...bindings, ...globals].join(', ')} } = require();
${code}
return { ${exports.map(([local, key]) => (key === local ? key : `${key}: ${local}`)).join(', ')} };
})
//# sourceURL=isola:guest/${name}`;
  return { name, text, imports: [...new Set([...imports.map(([key]) => key), ...globals])], captured, metafile };
}

type Renamed = readonly [name: string, as: string];

/** Of a module that esbuild has written: `import{a,b as c}from"…/core.ts";` at its head, `export{d as e};` at its end. */
function splitModule(text: string, name: string): { code: string; imports: Renamed[]; exports: Renamed[] } {
  const imports: Renamed[] = [];
  const exports: Renamed[] = [];
  const code = text
    .replace(/(?<=^|[;}])\s*import\s*\{([^{}]*)\}\s*from\s*"[^"]*\/(?:core|shared)\.ts";/g, (_, list: string) => {
      imports.push(...parseNames(list));
      return '';
    })
    .replace(/(?<=^|[;}])\s*export\s*\{([^{}]*)\};\s*$/, (_, list: string) => {
      exports.push(...parseNames(list));
      return '';
    });
  if (/(?:^|[;}])\s*(?:import\s*["{*]|export\s*[{*])/.test(code)) {
    throw new Error(`The part ${name} has an import or export of an unexpected form`);
  }
  return { code, imports, exports };
}

function parseNames(list: string): Renamed[] {
  const items = list.split(',').map((item) => item.trim());
  return items
    .filter((item) => item !== '')
    .map((item) => {
      const [name = '', as = name] = item.split(' as ');
      return [name, as];
    });
}

function checkInputs({ name, metafile }: PartBundle, core: Metafile): void {
  const twice = Object.keys(metafile.inputs).filter((file) => file in core.inputs && !MAY_BE_TWICE.test(file));
  if (twice.length === 0) return;
  throw new Error(`The part ${name} contains ${twice.join(', ')}, which the core has: import it from core.ts`);
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
