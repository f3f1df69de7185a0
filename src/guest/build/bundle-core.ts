/** The core runtime: the script that goes into the snapshot, with what the parts are given of it. */
import { join } from 'node:path';
import { buildSync, type Metafile } from 'esbuild';
import type { PartBundle } from './bundle-part.ts';
import { CAPTURED_GLOBALS } from './captured-globals.ts';
import { COMMON, CORE, GUEST } from './options.ts';

/** Parts of which others import something. */
const SHARED_PARTS = ['events', 'streams', 'forms'];

/** What the core and a part may both contain: constants, and libraries without classes that have to be the same. */
const MAY_BE_TWICE = /^abi\.ts$|\/node_modules\/(?!web-streams-polyfill\/)/;

/** Throws when a part contains what the core has: there would be two of it in an isolate. */
export function bundleCore(parts: readonly PartBundle[]): string {
  const { outputFiles, metafile } = buildSync({
    ...COMMON,
    stdin: { contents: coreEntry(parts), resolveDir: GUEST, sourcefile: 'entry.ts', loader: 'ts' },
    format: 'iife',
    banner: { js: `(() => {"use strict"; const { ${CAPTURED_GLOBALS.join(', ')} } = globalThis;` },
    footer: { js: '})();' },
  });
  for (const part of parts) checkInputs(part, metafile);
  return outputFiles[0]!.text;
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

function checkInputs({ name, metafile }: PartBundle, core: Metafile): void {
  const twice = Object.keys(metafile.inputs).filter((file) => file in core.inputs && !MAY_BE_TWICE.test(file));
  if (twice.length === 0) return;
  throw new Error(`The part ${name} contains ${twice.join(', ')}, which the core has: import it from core.ts`);
}
