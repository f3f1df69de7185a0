/** One part of the runtime (parts/) as a script of its own. */
import { join } from 'node:path';
import { type BuildOptions, buildSync, type Metafile } from 'esbuild';
import { CAPTURED_GLOBALS, PLATFORM_GLOBALS } from './captured-globals.ts';
import { COMMON, CORE, GUEST } from './options.ts';

export interface PartBundle {
  readonly name: string;
  readonly text: string;
  /** What it imports of core.ts, and the built-ins it names. */
  readonly imports: readonly string[];
  readonly captured: readonly string[];
  readonly metafile: Metafile;
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
export function bundlePart(name: string, path: string): PartBundle {
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
