import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readWorkerConfig, stripJsonComments } from './wrangler-config.ts';

describe('stripJsonComments()', () => {
  it('removes comments and trailing commas, and leaves texts alone', () => {
    const text = '{ // one\n "url": "http://x/*y*/", /* two\n lines */ "list": [1, 2, /* end */ ], }';
    assert.deepEqual(JSON.parse(stripJsonComments(text)), { url: 'http://x/*y*/', list: [1, 2] });
  });

  it('keeps line numbers', () => {
    assert.equal(stripJsonComments('{\n/* a\nb */\n}').split('\n').length, 4);
  });

  it('knows escaped quotes', () => {
    const text = String.raw`{"a": "\"//not", "b": "\\"} // yes`;
    assert.deepEqual(JSON.parse(stripJsonComments(text)), { a: '"//not', b: '\\' });
  });
});

describe('readWorkerConfig()', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isola-config-'));
  });
  after(() => rm(folder, { recursive: true }));

  const read = async (json: string) => {
    const path = join(folder, 'wrangler.jsonc');
    await writeFile(path, json);
    return await readWorkerConfig(path);
  };

  it('reads vars and services as bindings', async () => {
    const config = await read(`{
      "name": "shop", "main": "src/index.ts", "compatibility_date": "2026-01-01",
      "vars": { "TEXT": "a", "NUMBER": 1 },
      "services": [{ "binding": "AUTH", "service": "auth" }],
      "limits": { "cpu_ms": 20 }
    }`);
    assert.deepEqual(config, {
      name: 'shop',
      mainPath: join(folder, 'src/index.ts'),
      compatibilityDate: '2026-01-01',
      compatibilityFlags: [],
      bindings: [
        { name: 'TEXT', type: 'plain_text', text: 'a' },
        { name: 'NUMBER', type: 'json', json: 1 },
        { name: 'AUTH', type: 'service', service: 'auth' },
      ],
      crons: [],
      cpuMs: 20,
    });
  });

  it('names the file and the field that is wrong', async () => {
    await assert.rejects(read('{ "name": "Not A Name", "main": "x.js" }'), /wrangler\.jsonc: name: must be 1 to 63/);
    await assert.rejects(read('{ nonsense'), /Cannot read .*wrangler\.jsonc/);
  });
});
