import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

/** `(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))` */
const ADD_WASM = Buffer.from('AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=', 'base64');

describe('Modules that stock wrangler uploads', () => {
  let platform: TestPlatform;
  const folders: string[] = [];

  before(async () => {
    platform = await startTestPlatform();
  });
  after(async () => {
    await platform.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  /** Deploys these files and resolves to what the Worker then answers. */
  const answer = async (
    config: { name: string; main: string; [key: string]: unknown },
    files: Readonly<Record<string, string | Uint8Array>>,
  ): Promise<string> => {
    const folder = await mkdtemp(join(tmpdir(), 'isola-project-'));
    folders.push(folder);
    const all = { 'wrangler.json': JSON.stringify({ compatibility_date: '2026-01-01', ...config }), ...files };
    for (const [name, content] of Object.entries(all)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    await platform.deploy(folder);
    return (await platform.request(config.name, '/')).text;
  };

  it('are found by one another unbundled: static, dynamic, CommonJS, text, data and WebAssembly', async () => {
    const rules = [
      { type: 'ESModule', globs: ['**/*.mjs'] },
      { type: 'CommonJS', globs: ['**/*.cjs'] },
      { type: 'Text', globs: ['**/*.md'] },
      { type: 'Data', globs: ['**/*.bin'] },
    ];
    const text = await answer(
      { name: 'unbundled', main: 'src/index.mjs', no_bundle: true, find_additional_modules: true, rules },
      {
        'src/index.mjs': `
          import { name } from './lib/static.mjs';
          import old, { named } from './old.cjs';
          import note from './note.md';
          import bytes from './bytes.bin';
          import add from './add.wasm';
          const top = await import('./lib/top.mjs');
          export default {
            async fetch(request) {
              const { lazy } = await import('./lib/' + 'lazy.mjs');
              const { exports } = new WebAssembly.Instance(add);
              const parts = [name, top.value, lazy(), old.named === named, named, note, bytes.byteLength, exports.add(1, 2)];
              return new Response([...parts, import.meta.url].join());
            },
          };`,
        'src/lib/static.mjs': 'export const name = "static";',
        'src/lib/top.mjs': 'export const value = await Promise.resolve("top");',
        'src/lib/lazy.mjs': 'import { name } from "./static.mjs"; export const lazy = () => `lazy ${name}`;',
        'src/old.cjs': 'exports.named = require("./inner.cjs").value;',
        'src/inner.cjs': 'module.exports = { value: "inner" };',
        'src/note.md': 'note',
        'src/bytes.bin': new Uint8Array(5),
        'src/add.wasm': ADD_WASM,
      },
    );
    assert.equal(text, 'static,top,lazy static,true,inner,note,5,3,file:///bundle/index.mjs');
  });

  it('may be one script in service-worker syntax, with variables and files as globals', async () => {
    const text = await answer(
      { name: 'script', main: 'index.js', vars: { MODE: 'test' } },
      {
        'index.js': `
          import add from './add.wasm';
          import note from './note.txt';
          addEventListener('fetch', (event) => {
            const { exports } = new WebAssembly.Instance(add);
            event.respondWith(new Response([MODE, note, exports.add(2, 3), event.request.method].join()));
          });`,
        'add.wasm': ADD_WASM,
        'note.txt': 'note',
      },
    );
    assert.equal(text, 'test,note,5,GET');
  });

  it('may take the environment and their base class from cloudflare:workers', async () => {
    const text = await answer(
      { name: 'environment', main: 'index.ts', vars: { MODE: 'test' } },
      {
        'index.ts': `
          import { env, WorkerEntrypoint } from 'cloudflare:workers';
          const mode: string = env.MODE;
          export default class extends WorkerEntrypoint<{ MODE: string }> {
            override fetch() { return new Response([mode, this.env.MODE].join()) }
          }`,
      },
    );
    assert.equal(text, 'test,test');
  });
});
