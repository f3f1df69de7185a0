import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { transform } from 'esbuild';
import { MAX_SOURCE_MAP_BYTES } from '../limits.ts';
import { toMapFiles } from './map-files.ts';
import { SourceMapper } from './source-mapper.ts';

const SOURCE = 'type Gone = 1;\n\nfunction longName(): never {\n  throw new Error("x");\n}\nlongName();\n';
const STACK = (module = 'index.js'): string => `Error: x\n    at e (${module}:1:20)\n    at ${module}:1:36`;

interface Files {
  readonly modules?: Readonly<Record<string, string>>;
  readonly sourceMaps?: Readonly<Record<string, string>>;
}

const shared = new SourceMapper();
const withParents = new SourceMapper({ keepParents: true });
after(async () => {
  await shared.close();
  await withParents.close();
});

let versions = 0;

/** Maps one stack with these files. */
async function mapOnce(files: Files, text: string, mapper = shared): Promise<string | undefined> {
  const key = `v${versions++}`;
  return (await mapper.map({ owner: 'main', key, texts: [text], files: toFiles(files) }))[0];
}

function toFiles({ modules = {}, sourceMaps = {} }: Files) {
  const list = (files: Readonly<Record<string, string>>) =>
    Object.entries(files).map(([name, content]) => ({ name, content: Buffer.from(content) }));
  return toMapFiles(list(modules), list(sourceMaps));
}

/** `function e(){throw new Error("x")}e();` and its map. */
async function minified(sourcefile = 'src/a.ts') {
  const { code, map } = await transform(SOURCE, {
    loader: 'ts',
    format: 'esm',
    minify: true,
    sourcemap: true,
    sourcefile,
  });
  return { code, map };
}

describe('SourceMapper', () => {
  it('maps by the map of the module’s name', async () => {
    const { code, map } = await minified();
    const at = code.indexOf('new Error') + 1; // where V8 says an error was made
    const stack = `Error: x\n    at e (index.js:1:${at})\n    at index.js:1:${code.lastIndexOf('e()') + 1}`;
    const expected = 'Error: x\n    at longName (src/a.ts:4:9)\n    at src/a.ts:6:1';
    assert.equal(await mapOnce({ sourceMaps: { 'index.js.map': map } }, stack), expected);
    assert.equal(await mapOnce({ sourceMaps: { './index.js.map': map } }, stack), expected);
  });

  it('maps by a map within the module, and by one that the module names', async () => {
    const { code, map } = await minified();
    const inline = `//# sourceMappingURL=data:application/json;charset=utf-8;base64,${Buffer.from(map).toString('base64')}`;
    for (const ending of [inline, `${inline}\n`, `${inline}\n//# debugId=1\n\n`]) {
      assert.match(
        (await mapOnce({ modules: { 'lib/a.js': code + ending } }, STACK('lib/a.js'))) ?? '',
        /src\/a\.ts:4/,
      );
    }
    const percent = `//# sourceMappingURL=data:application/json,${encodeURIComponent(map)}`;
    assert.match((await mapOnce({ modules: { 'lib/a.js': code + percent } }, STACK('lib/a.js'))) ?? '', /src\/a\.ts:4/);
    const named = { modules: { 'lib/a.js': `${code}//# sourceMappingURL=b.map` }, sourceMaps: { 'lib/b.map': map } };
    assert.match((await mapOnce(named, STACK('lib/a.js'))) ?? '', /src\/a\.ts:4/);
    const inText = `const text = "\\\n${inline}\n"; more();\n`;
    assert.equal(await mapOnce({ modules: { 'index.js': code + inText } }, STACK()), STACK());
  });

  it('reads index maps', async () => {
    const { map } = await minified();
    const sections = [{ offset: { line: 10, column: 0 }, map: JSON.parse(map) as unknown }];
    const index = JSON.stringify({ version: 3, sections });
    const mapped = await mapOnce({ sourceMaps: { 'index.js.map': index } }, '    at e (index.js:11:20)');
    assert.match(mapped ?? '', /src\/a\.ts:4:/);
  });

  it('shortens sources to what the author knows them by', async () => {
    for (const [source, path] of [
      ['../../../src/a.ts', 'src/a.ts'],
      ['webpack://app/./src/a.ts', 'src/a.ts'],
      ['/home/me/a.ts', '/home/me/a.ts'],
      ['a\u001b[31m\nb.ts', 'a\uFFFD[31m\uFFFDb.ts'],
      ['x'.repeat(5_000), 'x'.repeat(300)],
    ] as const) {
      const map = JSON.stringify({ ...(JSON.parse((await minified()).map) as object), sources: [source] });
      const mapped = await mapOnce({ sourceMaps: { 'index.js.map': map } }, '    at index.js:1:20');
      assert.equal(mapped, `    at ${path}:4:9`);
    }
    const map = (await minified('../a.ts')).map;
    const mapped = await mapOnce({ sourceMaps: { 'index.js.map': map } }, '    at index.js:1:20', withParents);
    assert.equal(mapped, '    at ../a.ts:4:9');
  });

  it('gives back what it has no map for, or only one that is none', async () => {
    const { map } = await minified();
    const value = JSON.parse(map) as Record<string, unknown>;
    for (const bad of [
      '',
      '{}',
      'null',
      '[]',
      '"x"',
      JSON.stringify({ ...value, mappings: 5 }),
      JSON.stringify({ ...value, mappings: [[['a', {}, null]]] }),
      JSON.stringify({ ...value, mappings: [[[0, 0, 'x', 'y'.repeat(1_000)]]] }),
      JSON.stringify({ ...value, mappings: [[[0, 0, -5, 0]]] }),
      JSON.stringify({ ...value, mappings: [[[0, 0, 0, [1]]]] }),
      JSON.stringify({ ...value, mappings: [5, null, 'x'] }),
      JSON.stringify({ ...value, sources: [null] }),
      JSON.stringify({ ...value, sources: 'x' }),
      JSON.stringify({ ...value, sources: [] }),
      JSON.stringify({ version: 3, sections: [{ offset: {}, map: { version: 3, sections: [] } }] }),
      '[{"sections":'.repeat(50_000),
      ' '.repeat(MAX_SOURCE_MAP_BYTES + 1),
    ]) {
      assert.equal(await mapOnce({ sourceMaps: { 'index.js.map': bad } }, STACK()), STACK(), bad.slice(0, 80));
    }
    assert.equal(await mapOnce({}, STACK()), STACK());
  });

  it('survives maps that need more memory than there is, and goes on for others', async () => {
    const mapper = new SourceMapper({ maxJobMs: 1_000 });
    const { map } = await minified();
    const bomb = JSON.stringify({ version: 3, sources: ['a'], names: [], mappings: 'AAAA,'.repeat(6_000_000) });
    const section = { offset: { line: 2_000_000_000, column: 0 }, map: JSON.parse(map) as unknown };
    const hole = JSON.stringify({ version: 3, sections: [section] });
    const run = (owner: string, json: string) =>
      mapper.map({ owner, key: owner, texts: [STACK()], files: toFiles({ sourceMaps: { 'index.js.map': json } }) });
    const [bombed, holed, fine] = await Promise.all([run('a', bomb), run('b', hole), run('c', map)]);
    assert.deepEqual([bombed, holed], [[STACK()], [STACK()]]);
    assert.match(fine[0] ?? '', /src\/a\.ts:4:/);
    await mapper.close();
  });

  it('never reads the maps of a version again that took too long', async () => {
    const mapper = new SourceMapper({ maxJobMs: 1 });
    let reads = 0;
    const files = {
      sourceMap: () => {
        reads++;
        return Promise.resolve(Buffer.alloc(1024 * 1024, '[]'));
      },
      module: () => Promise.resolve(undefined),
    };
    const run = () => mapper.map({ owner: 'a', key: 'slow', texts: [STACK()], files });
    assert.deepEqual(await run(), [STACK()]);
    const before = reads;
    assert.deepEqual(await run(), [STACK()]);
    assert.equal(reads, before);
    await mapper.close();
  });

  it('queues 1 MiB of text for each owner', async () => {
    const mapper = new SourceMapper();
    const { map } = await minified();
    const files = toFiles({ sourceMaps: { 'index.js.map': map } });
    const long = `${STACK()}\n${'x'.repeat(600_000)}`;
    const run = (owner: string) => mapper.map({ owner, key: owner, texts: [long], files });
    const results = await Promise.all([run('a'), run('a'), run('b')]);
    assert.deepEqual(
      results.map(([text]) => text?.includes('src/a.ts')),
      [true, false, true],
    );
    assert.match((await run('a'))[0] ?? '', /src\/a\.ts/);
    await mapper.close();
    assert.deepEqual(await run('a'), [long]);
  });

  it('ends its thread when it has nothing to do, and starts another', async () => {
    const mapper = new SourceMapper({ idleMs: 0 });
    const { map } = await minified();
    const files = toFiles({ sourceMaps: { 'index.js.map': map } });
    for (let round = 0; round < 3; round++) {
      const [text] = await mapper.map({ owner: 'a', key: 'a', texts: [STACK()], files });
      assert.match(text ?? '', /src\/a\.ts/);
      await new Promise((resolve) => setTimeout(resolve)); // lets the timer of no length fire
    }
    await mapper.close();
  });
});
