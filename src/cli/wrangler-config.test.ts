import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stripJsonComments } from './config-file.ts';
import { readWorkerConfig, type ReadConfigOptions } from './wrangler-config.ts';

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

  const write = async (name: string, text: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  };
  let files = 0;
  const read = async (json: string | object, options?: ReadConfigOptions) => {
    const text = typeof json === 'string' ? json : JSON.stringify(json);
    return readWorkerConfig(await write(`${files++}-wrangler.jsonc`, text), options);
  };
  const SHOP = { name: 'shop', main: 'src/index.ts' };

  it('reads vars and services as bindings', async () => {
    const config = await read(`{
      "name": "shop", "main": "src/index.ts", "compatibility_date": "2026-01-01",
      "vars": { "TEXT": "a", "NUMBER": 1, "DEEP": { "list": [1, { "a": null }] } }, // all kinds
      "services": [{ "binding": "AUTH", "service": "auth" }],
      "version_metadata": { "binding": "VERSION" },
      "secrets": { "required": ["KEY"] },
      "dev": { "port": 1234 },
      "limits": { "cpu_ms": 20 },
    }`);
    assert.deepEqual(config, {
      name: 'shop',
      mainPath: join(folder, 'src/index.ts'),
      compatibilityDate: '2026-01-01',
      compatibilityFlags: [],
      bindings: [
        { name: 'TEXT', type: 'plain_text', text: 'a' },
        { name: 'NUMBER', type: 'json', json: 1 },
        { name: 'DEEP', type: 'json', json: { list: [1, { a: null }] } },
        { name: 'AUTH', type: 'service', service: 'auth' },
        { name: 'VERSION', type: 'version_metadata' },
      ],
      requiredSecrets: ['KEY'],
      crons: [],
      cpuMs: 20,
      build: { projectDir: folder },
      dev: { host: undefined, port: 1234 },
      warnings: [],
    });
  });

  it('reads TOML', async () => {
    const text = [
      'name = "shop"',
      'main = "src/index.ts"',
      'compatibility_flags = ["nodejs_compat"]',
      'rules = [{ type = "Text", globs = ["**/*.md"], fallthrough = true }]',
      '[vars]',
      'DEEP = { a = [1, 2] }',
      '[define]',
      'DEBUG = "true"',
      '[alias]',
      '"left" = "./right"',
      '[[services]]',
      'binding = "AUTH"',
      'service = "auth"',
      '[env.staging.vars]',
      'MODE = "staging"',
    ].join('\n');
    const path = await write('wrangler.toml', text);
    const config = await readWorkerConfig(path);
    assert.deepEqual(config.compatibilityFlags, ['nodejs_compat']);
    assert.deepEqual(config.bindings, [
      { name: 'DEEP', type: 'json', json: { a: [1, 2] } },
      { name: 'AUTH', type: 'service', service: 'auth' },
    ]);
    assert.deepEqual(config.build, {
      projectDir: folder,
      rules: [{ type: 'Text', globs: ['**/*.md'], fallthrough: true }],
      define: { DEBUG: 'true' },
      alias: { left: './right' },
    });
    assert.equal((await readWorkerConfig(path, { environment: 'staging' })).name, 'shop-staging');
    await assert.rejects(readWorkerConfig(await write('bad.toml', 'name = ')), /Cannot read .*bad\.toml[\s\S]*1/);
  });

  it("follows wrangler's rules of inheritance", async () => {
    const file = {
      ...SHOP,
      compatibility_date: '2026-01-01',
      minify: true,
      vars: { A: '1' },
      services: [{ binding: 'AUTH', service: 'auth' }],
      define: { X: '1' },
      alias: { a: 'b' },
      env: { staging: { vars: { B: '2' }, minify: false }, live: { name: 'the-shop', main: 'live.ts' } },
    };
    const staging = await read(file, { environment: 'staging' });
    assert.equal(staging.name, 'shop-staging');
    assert.equal(staging.mainPath, join(folder, 'src/index.ts'));
    assert.equal(staging.compatibilityDate, '2026-01-01');
    assert.deepEqual(staging.bindings, [{ name: 'B', type: 'plain_text', text: '2' }]);
    assert.deepEqual(staging.build, { projectDir: folder, minify: false, alias: { a: 'b' } });
    assert.deepEqual(
      staging.warnings.map((line) => /: (\w+) is not inherited: env\.staging/.exec(line)?.[1]),
      ['define', 'services'],
    );
    const live = await read(file, { environment: 'live' });
    assert.deepEqual([live.name, live.mainPath], ['the-shop', join(folder, 'live.ts')]);
    await assert.rejects(read(file, { environment: 'prod' }), /env: has no environment 'prod'; it has staging, live/);
  });

  it('names what it does not have, and goes on', async () => {
    const { warnings } = await read({
      ...SHOP,
      $schema: 'x',
      workers_dev: true,
      observability: { enabled: true },
      routes: ['example.com/*'],
      assets: { directory: 'public', binding: 'FILES' },
      d1_databases: [{ binding: 'DB', database_name: 'x' }],
      durable_objects: { bindings: [{ name: 'ROOM', class_name: 'Room' }] },
      queues: { producers: [{ binding: 'JOBS', queue: 'jobs' }], consumers: [] },
      r2_buckets: [],
      build: { command: '' },
      compatability_date: '2026-01-01',
    });
    assert.deepEqual(
      warnings.map((line) => line.replace(/^\d+-wrangler\.jsonc: /, '')),
      [
        'assets: only wrangler deploy brings static assets; env has no FILES',
        'd1_databases: isola has no D1 yet; env has no DB',
        'durable_objects: isola has no Durable Objects yet; env has no ROOM',
        'queues: isola has no Queues yet; env has no JOBS',
        'compatability_date is not a key that isola or wrangler knows; did you mean compatibility_date?',
      ],
    );
  });

  it('names the file and the field that is wrong', async () => {
    await assert.rejects(read('{ "name": "Not A Name", "main": "x.js" }'), /wrangler\.jsonc: name: must be 1 to 63/);
    await assert.rejects(read('{ nonsense'), /Cannot read .*wrangler\.jsonc/);
    await assert.rejects(read({ name: 'x' }), /wrangler\.jsonc: main: is missing/);
    await assert.rejects(read({ ...SHOP, services: [{ binding: 'A' }] }), /services\.0\.service: /);
    await assert.rejects(read({ ...SHOP, rules: [{ type: 'Txt', globs: [] }] }), /rules\.0\.type: /);
    await assert.rejects(read({ ...SHOP, env: { a: { vars: 5 } } }), /env\.a\.vars: /);
  });
});
