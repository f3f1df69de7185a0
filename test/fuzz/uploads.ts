/** Uploads that nobody means well with: their metadata, the modules that import one another, and WebAssembly. */
import type { Random } from '../../src/guest/testing/random.ts';
import { hostileText, mutate } from './hostile.ts';

const MODULE_TYPES = [
  'application/javascript+module',
  'application/javascript',
  'text/plain',
  'application/json',
  'application/octet-stream',
  'application/wasm',
  'text/x-python',
  '',
];
const NAMES = [
  'index.js',
  './a.js',
  'a.js',
  'lib/b.mjs',
  'lib/../c.js',
  'd.cjs',
  'e.json',
  'f.wasm',
  'g.txt',
  '../h.js',
  '/i.js',
  'j.js?x',
  'node:fs',
  'cloudflare:workers',
  '__proto__',
  'k.js.map',
];
const STATEMENTS = [
  'import x from "$";',
  'import * as y from "$";',
  'export * from "$";',
  'export { default } from "$";',
  'export const z = await import("$");',
  'await null;',
  'const w = require("$");',
  'module.exports = { v: 1 };',
  'export default { fetch: () => new Response("x") };',
  'export default class { };',
  'export let u = import.meta.url;',
  'throw new Error("x");',
  'import $;',
  'export default {',
  '}',
  '"use strict"; with (a) {}',
  'import x from "$" with { type: "json" };',
  'for (const i of [1, 2]) import("$").catch(() => {});',
  'globalThis.t = () => import("$");',
  '//# sourceMappingURL=$',
  '\u0000\u2028\ud800',
];

const SECTION_IDS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 127, 255];
/** One memory, one table, one function that loads, calls itself through the table, and is exported. */
const WASM = Uint8Array.from([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0, 4, 4, 1, 0x70, 0, 1, 5, 3, 1, 0, 1, 6, 6, 1,
  0x7f, 1, 0x41, 0, 0x0b, 7, 5, 1, 1, 102, 0, 0, 9, 7, 1, 0, 0x41, 0, 0x0b, 1, 0, 10, 14, 1, 12, 0, 0x20, 0, 0x28, 2, 0,
  0x41, 0, 0x11, 0, 0, 0x0b, 11, 7, 1, 0, 0x41, 0, 0x0b, 1, 42,
]);

/** A form for `PUT …/scripts/name` with metadata that is wrong somewhere. */
export function hostileMetadata(random: Random, namespace: string): FormData {
  let metadata: unknown = {
    main_module: 'index.js',
    compatibility_date: '2026-01-01',
    compatibility_flags: ['nodejs_compat'],
    bindings: [
      { type: 'plain_text', name: 'A', text: 'a' },
      { type: 'json', name: 'B', json: { c: [1] } },
      { type: 'secret_text', name: 'C', text: 'secret' },
      { type: 'kv_namespace', name: 'D', namespace_id: namespace },
      { type: 'service', name: 'E', service: 'hello', entrypoint: 'Inner' },
      { type: 'inherit', name: 'F' },
    ],
    keep_bindings: ['secret_text'],
    annotations: { 'workers/tag': 'x', 'workers/message': 'y' },
    limits: { cpu_ms: 10 },
    keep_assets: false,
    placement: { mode: 'smart' },
    observability: { enabled: true },
  };
  for (let changes = 1 + random.below(3); changes > 0; changes--) metadata = mutate(metadata, random);
  const form = new FormData();
  form.set('metadata', random.chance(90) ? (JSON.stringify(metadata) ?? 'null') : hostileText(random));
  addModule(form, 'index.js', 'export default { fetch: () => new Response("x") };', MODULE_TYPES[0]);
  return form;
}

/** A form with up to 30 modules that import one another, themselves, and what is not there. */
export function hostileGraph(random: Random): FormData {
  const form = new FormData();
  // Whose modules may be as wrong as they like until they are imported.
  const isSound = random.chance(50);
  const metadata = {
    main_module: isSound ? 'main.js' : random.pick(NAMES),
    compatibility_date: '2026-01-01',
    compatibility_flags: ['nodejs_compat'],
  };
  form.set('metadata', JSON.stringify(metadata));
  for (let left = random.below(30); left > 0; left--) {
    const lines = Array.from({ length: random.below(8) }, () =>
      random.pick(STATEMENTS).replace('$', random.pick(NAMES)),
    );
    const type = random.chance(70) ? MODULE_TYPES[0] : random.pick(MODULE_TYPES);
    addModule(form, random.pick(NAMES), lines.join('\n'), type);
  }
  if (isSound) addModule(form, 'main.js', toSoundMain(random), MODULE_TYPES[0]);
  return form;
}

function toSoundMain(random: Random): string {
  const imports = Array.from(
    { length: random.below(6) },
    () => `await import('${random.pick(NAMES)}').catch(() => {});`,
  );
  return `${imports.join('\n')}\nexport default { fetch: () => new Response('sound') };`;
}

/** A binary that was valid, or nearly so, once. */
export function hostileWasm(random: Random): Uint8Array<ArrayBuffer> {
  const bytes = [...WASM];
  for (let changes = random.below(6); changes > 0; changes--) {
    const at = 8 + random.below(bytes.length - 8);
    const kind = random.below(4);
    if (kind === 0) bytes[at] = random.below(256);
    else if (kind === 1) bytes.splice(at, 1 + random.below(4));
    else if (kind === 2) bytes.splice(at, 0, ...Array.from({ length: 1 + random.below(5) }, () => random.below(256)));
    else
      bytes.push(
        random.pick(SECTION_IDS),
        random.below(6),
        ...Array.from({ length: random.below(6) }, () => random.below(256)),
      );
    if (bytes.length < 10) break;
  }
  return Uint8Array.from(bytes);
}

/** A form with such a binary as a module, whose Worker starts it. */
export function toWasmForm(binary: Uint8Array<ArrayBuffer>): FormData {
  const code = `import module from './m.wasm';
    const results = [];
    for (const name of ['f', 'g']) try {
      const { exports } = new WebAssembly.Instance(module, {});
      results.push(typeof exports[name], exports[name]?.(1));
    } catch (error) { results.push(String(error)); }
    export default { fetch: () => Response.json(results) };`;
  const form = new FormData();
  form.set('metadata', JSON.stringify({ main_module: 'index.js', compatibility_date: '2026-01-01' }));
  addModule(form, 'index.js', code, MODULE_TYPES[0]);
  addModule(form, './m.wasm', binary, 'application/wasm');
  return form;
}

function addModule(form: FormData, name: string, content: string | Uint8Array<ArrayBuffer>, type = ''): void {
  form.append(name, new File([content], name, { type }));
}
