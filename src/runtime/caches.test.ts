/** `caches` as Workers see it. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type Runtime } from '../index.ts';
import { MAX_CACHED_BODY_BYTES } from '../limits.ts';

const MIB = 1024 * 1024;

/** For each handler: `put(init, body)` into the default cache and `match(headers)` from it, at an URL of its own. */
const PRELUDE = `
  const { pathname } = new URL(request.url);
  const url = "http://cached.example" + pathname;
  const cache = caches.default;
  const put = (init = {}, body = "hello") => cache.put(url, new Response(body, init));
  const match = (headers = {}) => cache.match(new Request(url, { headers }));`;

describe('caches', () => {
  let runtime: Runtime;
  let workers = 0;
  /** Runs the body of a fetch handler once, and answers its JSON. */
  const run = async (body: string, limits = {}, on = runtime): Promise<unknown> => {
    const name = `w${++workers}`;
    const source = `export default { async fetch(request, env, ctx) { ${PRELUDE} ${body} } }`;
    await on.deploy(name, { modules: { 'index.js': source }, limits: { cpuMs: 5_000, ...limits } });
    const response = await on.fetch(name, new Request(`http://${name}/${name}`));
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  };

  before(async () => {
    runtime = await createRuntime();
  });
  after(() => runtime.close());

  it('default gives back what was put, and says that it did', async () => {
    const answer = await run(`
      const before = await match();
      const done = await put({ status: 203, statusText: "Fine", headers: { "cache-control": "max-age=60", "x-a": "b" } });
      const hit = await match();
      const again = await match();
      return Response.json([before === undefined, done === undefined, hit.status, hit.statusText, await hit.text(),
        Object.fromEntries(hit.headers), await again.text()])`);
    const headers = {
      age: '0',
      'cache-control': 'max-age=60',
      'cf-cache-status': 'HIT',
      'content-type': 'text/plain;charset=UTF-8',
      'x-a': 'b',
    };
    assert.deepEqual(answer, [true, true, 203, 'Fine', 'hello', headers, 'hello']);
  });

  it('stream bodies both ways', async () => {
    const answer = await run(`
      let sent = 0;
      const chunk = new Uint8Array(100_000).fill(7);
      const body = new ReadableStream({ pull(controller) { sent++ < 50 ? controller.enqueue(chunk.slice()) : controller.close() } });
      await put({}, body);
      const reader = (await match()).body.getReader();
      let bytes = 0;
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return Response.json(bytes);
        bytes += value.byteLength;
        if (!value.every((byte) => byte === 7)) throw new Error("other bytes");
      }`);
    assert.equal(answer, 5_000_000);
  });

  it('answer conditions with 304, and ranges with 206 or 416', async () => {
    const answer = await run(`
      const modified = "Sat, 21 Nov 2026 10:00:00 GMT";
      await put({ headers: { etag: '"v1"', "last-modified": modified, "content-length": "10" } }, "0123456789");
      const ask = async (headers) => {
        const response = await match(headers);
        return [response.status, await response.text(), response.headers.get("content-range")];
      };
      return Response.json([
        await ask({ "if-none-match": 'W/"v1", "v0"' }),
        await ask({ "if-none-match": '"v2"', "if-modified-since": modified }),
        await ask({ "if-modified-since": modified }),
        await ask({ "if-modified-since": "Sat, 21 Nov 2026 09:59:59 GMT" }),
        await ask({ range: "bytes=2-4" }),
        await ask({ range: "bytes=-3" }),
        await ask({ range: "bytes=8-" }),
        await ask({ range: "bytes=10-" }),
        await ask({ range: "bytes=2-4", "if-range": '"v2"' }),
        await ask({ range: "bytes=1-2, 4-5" }),
      ])`);
    assert.deepEqual(answer, [
      [304, '', null],
      [200, '0123456789', null],
      [304, '', null],
      [200, '0123456789', null],
      [206, '234', 'bytes 2-4/10'],
      [206, '789', 'bytes 7-9/10'],
      [206, '89', 'bytes 8-9/10'],
      [416, '', 'bytes */10'],
      [200, '0123456789', null],
      [200, '0123456789', null],
    ]);
  });

  for (const [what, init] of Object.entries({
    'Cache-Control: no-store': { headers: { 'cache-control': 'No-Store, max-age=60' } },
    'Cache-Control: no-cache': { headers: { 'cache-control': 'no-cache' } },
    'Cache-Control: private': { headers: { 'cache-control': 'private, max-age=60' } },
    'Cache-Control: max-age=0': { headers: { 'cache-control': 'max-age=0' } },
    'an age beyond its lifetime': { headers: { 'cache-control': 'max-age=60', age: '61' } },
    'Expires in the past': { headers: { expires: 'Thu, 01 Jan 1970 00:00:00 GMT' } },
    'Set-Cookie': { headers: { 'set-cookie': 'a=b' } },
    'an error status': { status: 500 },
  })) {
    it(`do not store a response with ${what}, nor keep the one before`, async () => {
      const answer = await run(`
        await put();
        const before = await match();
        await put(${JSON.stringify(init)});
        return Response.json([before.status, (await match()) === undefined])`);
      assert.deepEqual(answer, [200, true]);
    });
  }

  it('store a response without the header that is private', async () => {
    const answer = await run(`
      await put({ headers: { "set-cookie": "a=b", "cache-control": "private=Set-Cookie, max-age=60" } });
      const hit = await match();
      return Response.json([hit.status, hit.headers.get("set-cookie")])`);
    assert.deepEqual(answer, [200, null]);
  });

  it('keep what belongs to a user apart: requests with Authorization are stored when the response says so', async () => {
    const answer = await run(`
      const putMine = (control) => cache.put(new Request(url, { headers: { authorization: "me" } }),
        new Response("mine", { headers: { "cache-control": control } }));
      await putMine("max-age=60");
      const without = await match();
      await putMine("public, max-age=60");
      return Response.json([without === undefined, (await match()).status])`);
    assert.deepEqual(answer, [true, 200]);
  });

  it('select by URL and by the headers that a response varies by', async () => {
    const answer = await run(`
      const putIn = (language, body) => cache.put(new Request(url, { headers: { "accept-language": language } }),
        new Response(body, { headers: { vary: "Accept-Language, X-None" } }));
      await putIn("de", "hallo");
      await putIn("en", "hello");
      await putIn("de", "moin");
      const texts = [];
      for (const language of ["de", "en", "fr"]) {
        const hit = await match({ "accept-language": language, "cache-control": "no-cache" });
        texts.push(hit && await hit.text());
      }
      return Response.json([...texts, (await cache.match(url + "?q")) === undefined, (await cache.keys()).length >= 2])`);
    assert.deepEqual(answer, ['moin', 'hello', null, true, true]);
  });

  it('refuse what the standard refuses', async () => {
    const answer = await run(`
      const attempts = [
        () => cache.put(new Request(url, { method: "POST" }), new Response("")),
        () => cache.put(url, new Response("", { status: 206 })),
        () => cache.put(url, new Response("", { headers: { vary: "accept, *" } })),
        () => cache.put("ftp://example.com/", new Response("")),
        () => cache.put(url, "text"),
        () => cache.put(url),
        () => cache.match(),
        () => Cache.prototype.match.call({}, url),
        () => CacheStorage.prototype.open.call({}, "a"),
        () => new Cache(),
      ];
      const used = new Response("used");
      await used.text();
      attempts.push(() => cache.put(url, used));
      const names = [];
      for (const attempt of attempts) {
        try { await attempt(); names.push("none") } catch (error) { names.push(error.name) }
      }
      return Response.json(names)`);
    assert.deepEqual(answer, Array(11).fill('TypeError'));
  });

  it('opened by name hold entries of their own, unchanged', async () => {
    const answer = await run(`
      const names = ["a\\n\\u{1f600}", "", "d"];
      for (const name of names) await (await caches.open(name)).put(url, new Response(name, { headers: { etag: '"1"' } }));
      const texts = [];
      for (const name of names) {
        const hit = await (await caches.open(name)).match(new Request(url, { headers: { "if-none-match": '"1"' } }));
        texts.push(await hit.text(), [...hit.headers.keys()].join());
      }
      const keys = await caches.keys();
      const first = await (await caches.match(url, { cacheName: names[0] })).text();
      const deleted = [await caches.delete("d"), await caches.delete("d"), await caches.has("d"), await caches.has("")];
      return Response.json([texts, (await match()) === undefined, keys, first, deleted])`);
    const names = ['a\n\u{1f600}', '', 'd'];
    assert.deepEqual(answer, [
      names.flatMap((name) => [name, 'content-type,etag']),
      true,
      names,
      names[0],
      [true, false, false, true],
    ]);
  });

  it('delete what they are told to', async () => {
    const answer = await run(`
      await put();
      const head = new Request(url, { method: "HEAD" });
      return Response.json([await cache.delete(head), await cache.delete(head, { ignoreMethod: true }),
        await cache.delete(url), (await match()) === undefined])`);
    assert.deepEqual(answer, [false, true, false, true]);
  });

  it('store nothing of a body that breaks off, and say why', async () => {
    const answer = await run(`
      let sent = 0;
      const body = new ReadableStream({ pull(controller) {
        if (sent++ < 3) controller.enqueue(new Uint8Array(100_000)); else controller.error(new RangeError("torn"));
      } });
      const failure = await put({}, body).catch((error) => error.name + error.message);
      return Response.json([failure, (await match()) === undefined])`);
    assert.deepEqual(answer, ['RangeErrortorn', true]);
  });

  it('do not store a body that is too long, and stop taking it', async () => {
    const answer = await run(
      `let sent = 0;
       let canceled = false;
       const body = new ReadableStream({
         pull(controller) { sent++; controller.enqueue(new Uint8Array(${MIB})) },
         cancel() { canceled = true },
       });
       await put({}, body);
       return Response.json([(await match()) === undefined, canceled, sent])`,
    );
    const [missing, canceled, sent] = answer as [boolean, boolean, number];
    assert.ok(missing && canceled);
    assert.ok(sent <= MAX_CACHED_BODY_BYTES / MIB + 2, `${sent} MiB`);
  });

  it('count as subrequests', async () => {
    const answer = await run(
      `await put();
       await match();
       return Response.json(await match().catch((error) => error.message))`,
      { subrequests: 2 },
    );
    assert.match(answer as string, /^Too many subrequests/);
  });

  it('keep to their memory: what was used least recently goes', async () => {
    await using small = await createRuntime({ cacheBytes: MIB });
    const answer = await run(
      `const at = (index) => url + "?" + index;
       for (let index = 0; index < 20; index++) {
         await cache.put(at(index), new Response(new Uint8Array(100_000)));
         await (await cache.match(at(0))).body.cancel();
       }
       const kept = [];
       for (let index = 0; index < 20; index++) if (await cache.match(at(index))) kept.push(index);
       return Response.json(kept)`,
      { subrequests: 100 },
      small,
    );
    assert.deepEqual(answer, [0, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  it('work when built-ins have been replaced', async () => {
    const answer = await run(`
      for (const type of [Array, Map, Uint8Array, Request, Response, Headers]) {
        for (const key of Reflect.ownKeys(type.prototype)) {
          const property = Object.getOwnPropertyDescriptor(type.prototype, key);
          if (key === "constructor" || key === Symbol.iterator || typeof property.value !== "function") continue;
          if (type !== Response || key !== "text") type.prototype[key] = () => { throw new Error("caught") };
        }
      }
      await cache.put(url, new Response("hello", { headers: [["vary", "accept"]] }));
      return Response.json(await (await cache.match(url)).text())`);
    assert.equal(answer, 'hello');
  });
});
