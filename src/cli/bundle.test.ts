import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createBundler, MAIN_MODULE } from './bundle.ts';

describe('createBundler()', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isola-bundle-'));
  });
  after(() => rm(folder, { recursive: true }));

  const write = (name: string, content: string | Uint8Array): Promise<void> => writeFile(join(folder, name), content);
  const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('utf8');

  it('makes one module of TypeScript and its imports, and keeps .wasm and .txt beside it', async () => {
    await write(
      'index.ts',
      `import { n } from './n.ts'; import w from './add.wasm'; import t from './t.txt';
      export default { fetch: (r: Request) => new Response(t + n + String(w)) };`,
    );
    await write('n.ts', 'export const n: number = 41;');
    await write('add.wasm', new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    await write('t.txt', 'text');
    await using bundler = await createBundler(join(folder, 'index.ts'));
    const { modules, inputs } = await bundler.bundle();

    const [main, ...others] = [...modules.keys()];
    assert.equal(main, MAIN_MODULE);
    assert.equal(others.length, 2);
    for (const specifier of others) assert.match(specifier, /^\.\/[0-9a-f]{40}-(add\.wasm|t\.txt)$/);
    for (const specifier of others) assert.ok(text(modules.get(MAIN_MODULE)?.content).includes(`"${specifier}"`));
    assert.deepEqual(
      inputs.toSorted(),
      ['add.wasm', 'index.ts', 'n.ts', 't.txt'].map((name) => join(folder, name)),
    );
  });

  it('sees a change at the next bundle', async () => {
    await write('change.ts', 'export default "before"');
    await using bundler = await createBundler(join(folder, 'change.ts'));
    assert.match(text((await bundler.bundle()).modules.get(MAIN_MODULE)?.content), /before/);
    await write('change.ts', 'export default "after"');
    assert.match(text((await bundler.bundle()).modules.get(MAIN_MODULE)?.content), /after/);
  });

  it('tells file, line and source of what does not compile', async () => {
    await write('broken.ts', 'const fine = 1;\nexport default {{;\n');
    await using bundler = await createBundler(join(folder, 'broken.ts'));
    await assert.rejects(bundler.bundle(), /broken\.ts:2:16[\s\S]*export default \{\{;/);
  });

  it('names a file that is imported and missing', async () => {
    await write('missing.ts', `import w from './nothing.wasm'; export default w;`);
    await using bundler = await createBundler(join(folder, 'missing.ts'));
    await assert.rejects(bundler.bundle(), /Cannot read .*nothing\.wasm/);
  });

  it('makes a source map of it', async () => {
    await write('mapped.ts', 'interface Gone { a: 1 }\n\nexport default 1;\n');
    await using bundler = await createBundler(join(folder, 'mapped.ts'));
    const { modules, sourceMaps } = await bundler.bundle();
    assert.doesNotMatch(text(modules.get(MAIN_MODULE)?.content), /sourceMappingURL/);
    const map = JSON.parse(text(sourceMaps.get(`${MAIN_MODULE}.map`))) as { sources: string[] };
    assert.deepEqual(
      map.sources.map((source) => resolve(source)),
      [join(folder, 'mapped.ts')],
    );
  });
});
