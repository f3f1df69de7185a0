/**
 * Bundles a Worker as wrangler does: one ES module from the entry file and what it imports, and each .wasm, .bin, .txt,
 * .html and .sql beside it as a module of its own.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { context, formatMessages, type BuildFailure, type BuildResult, type Plugin } from 'esbuild';
import { CommandError } from './command-error.ts';

/** Name of the bundled entry module. */
export const MAIN_MODULE = 'index.js';

const ASSET_MODULES = /\.(wasm|bin|txt|html|sql)(\?module)?$/;

export interface Bundle {
  /** By module specifier: `index.js` and e.g. `./3f2a…-add.wasm`. */
  readonly modules: ReadonlyMap<string, Uint8Array>;
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
export async function createBundler(entry: string): Promise<Bundler> {
  const assets = new Map<string, { path: string; content: Uint8Array }>();
  const build = await context({
    entryPoints: [entry],
    outfile: MAIN_MODULE,
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    mainFields: ['workerd', 'worker', 'browser', 'module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    sourcemap: 'external',
    sourcesContent: false,
    metafile: true,
    keepNames: true,
    logLevel: 'silent',
    plugins: [assetModules(assets)],
  });
  return {
    async bundle() {
      assets.clear();
      let result: BuildResult<{ write: false; metafile: true }>;
      try {
        result = await build.rebuild();
      } catch (error) {
        throw await toCommandError(error);
      }
      const output = (ending: string): Uint8Array =>
        result.outputFiles.find(({ path }) => path.endsWith(ending))?.contents ?? new Uint8Array();
      const modules = new Map<string, Uint8Array>([[MAIN_MODULE, output('.js')]]);
      const sourceMaps = new Map<string, Uint8Array>([[`${MAIN_MODULE}.map`, output('.js.map')]]);
      for (const [specifier, { content }] of assets) modules.set(specifier, content);
      const hasExports = Object.values(result.metafile.outputs).some(({ exports }) => exports.length > 0);
      const sources = Object.keys(result.metafile.inputs).map((path) => resolve(path));
      const inputs = [...sources, ...[...assets.values()].map(({ path }) => path)];
      return { modules, format: hasExports ? 'modules' : 'service-worker', sourceMaps, inputs };
    },
    async [Symbol.asyncDispose]() {
      await build.dispose();
    },
  };
}

/** Leaves the import in place, under a name which holds the content's hash, and collects the file. */
function assetModules(assets: Map<string, { path: string; content: Uint8Array }>): Plugin {
  return {
    name: 'asset-modules',
    setup(build) {
      build.onResolve({ filter: ASSET_MODULES }, async ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path.replace(/\?module$/, ''));
        const content = await readFile(file).catch(() => undefined);
        if (content === undefined) return { errors: [{ text: `Cannot read ${file}` }] };
        const hash = createHash('sha1').update(content).digest('hex'); // a name, as wrangler makes it; not a proof
        const specifier = `./${hash}-${basename(file)}`;
        assets.set(specifier, { path: file, content });
        return { path: specifier, external: true, watchFiles: [file], watchDirs: [dirname(file)] };
      });
    },
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
