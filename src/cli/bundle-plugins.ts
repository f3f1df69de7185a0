/** What makes esbuild resolve imports as wrangler does. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Plugin } from 'esbuild';
import type { ModuleKind } from '../model.ts';
import type { ModuleRule } from './config-schema.ts';
import { createKindOf, type FoundModule, toImportFilter } from './module-rules.ts';
import type { BuildConfig } from './wrangler-config.ts';

export interface AssetModule {
  /** Absolute. */
  readonly path: string;
  readonly kind: ModuleKind;
  readonly content: Uint8Array;
}

/** Says to the plugin itself that it asks. */
const RESOLVING = Symbol('resolving');

/** A module in place of another; a path among them is relative to the project. */
export function aliases({ alias = {}, projectDir }: BuildConfig): Plugin {
  return {
    name: 'aliases',
    setup(build) {
      for (const [from, to] of Object.entries(alias)) {
        build.onResolve({ filter: new RegExp(`^${RegExp.escape(from)}$`) }, ({ kind }) =>
          build.resolve(to, { kind, resolveDir: projectDir }),
        );
      }
    },
  };
}

/** Leaves imports of modules that are there anyway in place. */
export function additionalModules(list: () => readonly FoundModule[]): Plugin {
  return {
    name: 'additional-modules',
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, kind }) => {
        if (kind === 'entry-point') return undefined;
        const file = resolve(resolveDir, path);
        const found = list().find((module) => module.path === file);
        return found === undefined ? undefined : { path: `./${found.name}`, external: true };
      });
    },
  };
}

/** Leaves the import of what is no JavaScript in place, under a name with the content's hash, and collects the file. */
export function assetModules(assets: Map<string, AssetModule>, rules: readonly ModuleRule[] | undefined): Plugin {
  const kindOf = createKindOf(rules);
  return {
    name: 'asset-modules',
    setup(build) {
      build.onResolve({ filter: toImportFilter(rules) }, async ({ path, resolveDir, kind: importKind, pluginData }) => {
        if (importKind === 'entry-point' || pluginData === RESOLVING) return undefined;
        const kind = kindOf(path);
        if (kind === undefined || kind === 'esm' || kind === 'cjs') return undefined;
        const bare = path.replace(/\?module$/, '');
        let file = resolve(resolveDir, bare);
        if (!/^\.{0,2}\//.test(bare)) {
          // One in a package is found as the package says.
          const found = await build.resolve(bare, { resolveDir, kind: importKind, pluginData: RESOLVING });
          if (found.path !== '' && !found.external) file = found.path;
        }
        const content = await readFile(file).catch(() => undefined);
        if (content === undefined) return { errors: [{ text: `Cannot read ${file}` }] };
        const hash = createHash('sha1').update(content).digest('hex'); // a name, as wrangler makes it; not a proof
        const specifier = `./${hash}-${basename(file)}`;
        assets.set(specifier, { path: file, kind, content });
        return { path: specifier, external: true, watchFiles: [file], watchDirs: [dirname(file)] };
      });
    },
  };
}
