/**
 * Makes a Worker's modules as wrangler does: one ES module from the entry file and what it imports, and each .wasm, .bin,
 * .txt, .html and .sql beside it (or what the project's `rules` say) as a module of its own.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import { type BuildFailure, type BuildOptions, type BuildResult, context, formatMessages } from 'esbuild';
import type { ModuleKind } from '../model.ts';
import { CommandError } from './command-error.ts';
import { createKindOf, findModules, type FoundModule, type KindOf } from './module-rules.ts';
import { additionalModules, aliases, type AssetModule, assetModules } from './bundle-plugins.ts';
import type { BuildConfig } from './wrangler-config.ts';

/** Name of the bundled entry module. */
export const MAIN_MODULE = 'index.js';

export interface BundledModule {
  readonly kind: ModuleKind;
  readonly content: Uint8Array;
}

export interface Bundle {
  /** Name of the module that exports the handlers. */
  readonly main: string;
  /** By module specifier: `index.js` and e.g. `./3f2a…-add.wasm`. */
  readonly modules: ReadonlyMap<string, BundledModule>;
  /** An entry file without exports is a script in service-worker syntax, as wrangler takes it. */
  readonly format: 'modules' | 'service-worker';
  /** By the name of their module with `.map` behind it. Sources are relative to the working directory. */
  readonly sourceMaps: ReadonlyMap<string, Uint8Array>;
  /** Absolute paths of the files it was made from; a change of any asks for a new bundle. */
  readonly inputs: readonly string[];
}

export interface Bundler extends AsyncDisposable {
  /** Throws CommandError with esbuild's messages (file, line, source line) when the source does not compile. */
  bundle(): Promise<Bundle>;
}

/** Keeps esbuild's caches between bundles: the second one takes a few milliseconds. */
export async function createBundler(
  entry: string,
  config: BuildConfig = { projectDir: dirname(entry) },
): Promise<Bundler> {
  const kindOf = createKindOf(config.rules);
  if (config.noBundle === true) return createCollector(entry, config, kindOf);
  const assets = new Map<string, AssetModule>();
  let additional: readonly FoundModule[] = [];
  const build = await context({
    entryPoints: [entry],
    outfile: MAIN_MODULE,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    supported: { using: true },
    loader: { '.js': 'jsx', '.mjs': 'jsx', '.cjs': 'jsx' },
    platform: 'neutral',
    mainFields: ['workerd', 'worker', 'browser', 'module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    logLevel: 'silent',
    ...toBuildOptions(config),
    plugins: [aliases(config), additionalModules(() => additional), assetModules(assets, config.rules)],
  });
  return {
    async bundle() {
      assets.clear();
      if (config.findAdditionalModules === true) additional = await findBeside(entry, config, kindOf);
      let result: BuildResult<{ write: false; metafile: true }>;
      try {
        result = await build.rebuild();
      } catch (error) {
        throw await toCommandError(error);
      }
      const output = (ending: string): Uint8Array =>
        result.outputFiles.find(({ path }) => path.endsWith(ending))?.contents ?? new Uint8Array();
      const modules = new Map<string, BundledModule>([[MAIN_MODULE, { kind: 'esm', content: output('.js') }]]);
      for (const [specifier, { kind, content }] of assets) modules.set(specifier, { kind, content });
      const others = await readModules(additional);
      for (const [name, module] of others.modules) modules.set(name, module);
      const sourceMaps = new Map([...others.sourceMaps, [`${MAIN_MODULE}.map`, output('.js.map')] as const]);
      const hasExports = Object.values(result.metafile.outputs).some(({ exports }) => exports.length > 0);
      const format = hasExports ? 'modules' : 'service-worker';
      const sources = Object.keys(result.metafile.inputs).map((path) => resolve(path));
      const files = [...assets.values(), ...additional].map(({ path }) => path);
      return { main: MAIN_MODULE, modules, format, sourceMaps, inputs: [...sources, ...files] };
    },
    async [Symbol.asyncDispose]() {
      await build.dispose();
    },
  };
}

/** The entry file as it is, and the modules that the rules find beside it. */
function createCollector(entry: string, config: BuildConfig, kindOf: KindOf): Bundler {
  if (!/\.m?js$/.test(entry)) {
    throw new CommandError(`Cannot use ${basename(entry)} with no_bundle: it must be JavaScript (.js or .mjs)`);
  }
  const main = relative(baseDirOf(entry, config), entry).split(sep).join('/');
  return {
    async bundle() {
      const found = await findBeside(entry, config, kindOf);
      const all: FoundModule[] = [{ name: main, kind: 'esm', path: entry }, ...found];
      return { main, format: 'modules', ...(await readModules(all)), inputs: all.map(({ path }) => path) };
    },
    async [Symbol.asyncDispose]() {},
  };
}

async function findBeside(entry: string, config: BuildConfig, kindOf: KindOf): Promise<FoundModule[]> {
  return (await findModules(baseDirOf(entry, config), kindOf)).filter(({ path }) => path !== entry);
}

/** With the source map that lies beside each, if one does. */
async function readModules(found: readonly FoundModule[]): Promise<Pick<Bundle, 'modules' | 'sourceMaps'>> {
  const modules = new Map<string, BundledModule>();
  const sourceMaps = new Map<string, Uint8Array>();
  for (const { name, kind, path } of found) {
    // oxlint-disable-next-line no-await-in-loop -- few, and small
    const [content, map] = await Promise.all([readFile(path), readFile(`${path}.map`).catch(() => undefined)]);
    modules.set(name, { kind, content });
    if (map !== undefined) sourceMaps.set(`${name}.map`, map);
  }
  return { modules, sourceMaps };
}

function baseDirOf(entry: string, { baseDir }: BuildConfig): string {
  return baseDir ?? dirname(entry);
}

function toBuildOptions({
  define,
  minify,
  keepNames,
  tsconfig,
  jsxFactory,
  jsxFragment,
}: BuildConfig): Pick<BuildOptions, 'define' | 'jsxFactory' | 'jsxFragment' | 'keepNames' | 'minify' | 'tsconfig'> {
  const environment = JSON.stringify(process.env['NODE_ENV'] ?? 'development');
  return {
    minify: minify ?? false,
    keepNames: keepNames ?? true,
    define: {
      'navigator.userAgent': '"Cloudflare-Workers"',
      'process.env.NODE_ENV': environment,
      'global.process.env.NODE_ENV': environment,
      'globalThis.process.env.NODE_ENV': environment,
      ...define,
    },
    ...(tsconfig !== undefined && { tsconfig }),
    ...(jsxFactory !== undefined && { jsxFactory }),
    ...(jsxFragment !== undefined && { jsxFragment }),
  };
}

async function toCommandError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('errors' in error)) return error;
  const messages = await formatMessages((error as BuildFailure).errors, {
    kind: 'error',
    color: process.stderr.isTTY && process.env['NO_COLOR'] === undefined,
  });
  return new CommandError(`The Worker does not compile\n\n${messages.join('').trimEnd()}`, { cause: error });
}
