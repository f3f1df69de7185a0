/** What stock wrangler makes of a project with `nodejs_compat`, running. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';

const MAIN = `
  import { Buffer } from 'node:buffer';
  import { EventEmitter, once } from 'events';
  import { promisify, inspect } from 'util';
  import { pipeline } from 'node:stream/promises';
  import { Readable, Transform } from 'stream';
  import { join } from 'path';
  import { readFileSync, existsSync } from 'fs';
  import os from 'node:os';
  import { createHash, randomUUID, timingSafeEqual } from 'crypto';
  import { gzipSync, gunzipSync } from 'node:zlib';
  import http from 'node:http';
  import old from './old.cjs';

  class Upper extends Transform {
    _transform(chunk, encoding, done) { done(null, chunk.toString().toUpperCase()); }
  }

  export default {
    async fetch(request, env) {
      const emitter = new EventEmitter();
      setImmediate(() => emitter.emit('ready', 'event'));
      const [event] = await once(emitter, 'ready');
      let piped = '';
      await pipeline(Readable.from(['a', 'b']), new Upper(), async (source) => { for await (const part of source) piped += part; });
      let refused = '';
      try { readFileSync('/etc/passwd'); } catch (error) { refused = error.message; }
      return Response.json({
        buffer: Buffer.from('text').toString('hex'),
        event, piped, refused,
        path: join('/a', '../b'),
        inspected: inspect({ a: [1] }),
        delayed: await promisify((value, done) => setTimeout(done, 1, null, value))('later'),
        env: process.env.GREETING,
        globals: [typeof Buffer, typeof process.nextTick, global === globalThis, process.platform],
        old: old.digest('x'),
        os: typeof os.EOL,
        http: typeof http.METHODS,
        hash: createHash('sha256').update('x').digest('hex').slice(0, 8),
        uuid: randomUUID().length,
        equal: timingSafeEqual(Buffer.from('a'), Buffer.from('a')),
        zipped: gunzipSync(gzipSync('packed')).toString(),
      });
    },
  };`;

const OLD = `
  const { Buffer } = require('buffer');
  const util = require('util');
  const EventEmitter = require('events');
  function Old() { EventEmitter.call(this); }
  util.inherits(Old, EventEmitter);
  exports.digest = (text) => Buffer.from(text).toString('base64') + new Old().listenerCount('x');`;

describe('A project with nodejs_compat, by stock wrangler', () => {
  let platform: TestPlatform;
  const folders: string[] = [];

  before(async () => {
    platform = await startTestPlatform();
  });
  after(async () => {
    await platform.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  const deploy = async (name: string, config: object, files: Readonly<Record<string, string>>): Promise<void> => {
    const folder = await mkdtemp(join(tmpdir(), 'isola-project-'));
    folders.push(folder);
    // Projects import packages of this repository.
    await symlink(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'));
    const all = { 'wrangler.json': JSON.stringify({ name, main: 'index.js', ...config }), ...files };
    for (const [file, content] of Object.entries(all)) await writeFile(join(folder, file), content);
    await platform.deploy(folder);
  };

  // Before and after the date from which wrangler leaves `node:process` and most others to the runtime.
  for (const date of ['2024-09-23', '2026-06-01']) {
    it(`runs with compatibility_date ${date}`, async () => {
      const name = `node-${date}`;
      const vars = { GREETING: 'hello' };
      const config = { compatibility_date: date, compatibility_flags: ['nodejs_compat'], vars };
      await deploy(name, config, { 'index.js': MAIN, 'old.cjs': OLD });
      const { text } = await platform.request(name, '/');
      const answer = JSON.parse(text) as Record<string, unknown>;
      assert.match(answer['refused'] as string, /not implemented|not available/);
      assert.deepEqual(answer, {
        buffer: '74657874',
        event: 'event',
        piped: 'AB',
        refused: answer['refused'],
        path: '/b',
        inspected: '{ a: [ 1 ] }',
        delayed: 'later',
        env: 'hello',
        globals: ['function', 'function', true, 'linux'],
        old: 'eA==0',
        os: 'string',
        http: 'object',
        hash: '2d711642',
        uuid: 36,
        equal: true,
        zipped: 'packed',
      });
    });
  }

  it("keeps the context of Hono's contextStorage apart in requests at the same time", async () => {
    const main = `
      import { Hono } from 'hono';
      import { contextStorage, getContext } from 'hono/context-storage';
      const app = new Hono();
      app.use(contextStorage());
      app.use(async (c, next) => { c.set('id', c.req.param('id')); await next(); });
      const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
      const describe = async () => { await wait(20); return getContext().req.path; };
      app.get('/:id', async (c) => {
        const seen = [await describe(), await Promise.all([describe(), wait(1).then(() => getContext().req.path)])];
        return c.json(seen.flat());
      });
      export default app;`;
    const config = { compatibility_date: '2026-06-01', compatibility_flags: ['nodejs_als'] };
    await deploy('hono', config, { 'index.js': main });
    const answers = await Promise.all(
      ['a', 'b', 'c'].map(async (id) => (await platform.request('hono', `/${id}`)).text),
    );
    assert.deepEqual(
      answers.map((text) => JSON.parse(text) as unknown),
      ['/a', '/b', '/c'].map((path) => [path, path, path]),
    );
  });

  it('is told of the flag when it lacks it', async () => {
    const main = `import { Buffer } from 'node:buffer'; export default { fetch: () => new Response(Buffer.from('x')) };`;
    await assert.rejects(
      deploy('flagless', { compatibility_date: '2026-06-01' }, { 'index.js': main }),
      /No such module "node:buffer": .*"nodejs_compat"/s,
    );
  });
});
