/** KV namespaces as Workers see them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type Runtime } from '../index.ts';
import { MAX_KV_VALUE_BYTES } from '../limits.ts';

/** For each handler: a namespace of its own, and `thrown(promise)`, which answers what it rejects with. */
const PRELUDE = `
  const { KV } = env;
  const thrown = (promise) => promise.then(() => "nothing", (error) => error.name + ": " + error.message);`;

describe('env.KV', () => {
  let runtime: Runtime;
  let workers = 0;
  /** Runs the body of a fetch handler once, and answers its JSON. */
  const run = async (body: string, { on = runtime, namespace = '' } = {}): Promise<unknown> => {
    const name = `w${++workers}`;
    const source = `export default { async fetch(request, env, ctx) { ${PRELUDE} ${body} } }`;
    await on.deploy(name, {
      modules: { 'index.js': source },
      bindings: [{ type: 'kv_namespace', name: 'KV', namespaceId: namespace || name }],
      limits: { cpuMs: 10_000, memoryMiB: 256, subrequests: 200 },
    });
    const response = await on.fetch(name, new Request(`http://${name}/`));
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  };

  before(async () => {
    runtime = await createRuntime();
  });
  after(() => runtime.close());

  it('get() gives back what was put, as each type, and null for what is not there', async () => {
    const answer = await run(`
      const done = await KV.put("k", '{"ü":1}');
      const stream = await KV.get("k", "stream");
      return Response.json([done === undefined, await KV.get("k"), await KV.get("k", { type: "json" }),
        [...new Uint8Array(await KV.get("k", "arrayBuffer"))].length, stream instanceof ReadableStream,
        await new Response(stream).text(), await KV.get("absent"), await KV.get("absent", "stream"), Object.prototype.toString.call(KV)])`);
    const text = '{"ü":1}';
    assert.deepEqual(answer, [true, text, { ü: 1 }, 8, true, text, null, null, '[object KvNamespace]']);
  });

  it('put() takes strings, buffers, views and streams', async () => {
    const answer = await run(`
      const bytes = new Uint8Array([1, 2, 3, 4]);
      const { readable, writable } = new FixedLengthStream(2);
      const writer = writable.getWriter();
      ctx.waitUntil(writer.write(new Uint8Array([7, 8])).then(() => writer.close()));
      await Promise.all([KV.put("string", "é"), KV.put("number", 5), KV.put("buffer", bytes.buffer), KV.put("view", bytes.subarray(1, 3)),
        KV.put("none", ""), KV.put("fixed", readable), KV.put("stream", new Response("streamed").body)]);
      const read = async (key) => [...new Uint8Array(await KV.get(key, "arrayBuffer"))].join();
      return Response.json(await Promise.all(["string", "number", "buffer", "view", "none", "fixed", "stream"].map(read)))`);
    const streamed = [...Buffer.from('streamed')].join();
    assert.deepEqual(answer, ['195,169', '53', '1,2,3,4', '2,3', '', '7,8', streamed]);
  });

  it('keeps values up to the limit, whole and in pieces, and refuses one byte more', async () => {
    const answer = await run(`
      const size = ${MAX_KV_VALUE_BYTES};
      const pieces = (count) => new ReadableStream({ pull(controller) {
        if (count <= 0) return controller.close();
        const length = Math.min(count, 1_000_000);
        count -= length;
        controller.enqueue(new Uint8Array(length).fill(9));
      } });
      await KV.put("whole", new Uint8Array(size).fill(5));
      const whole = new Uint8Array(await KV.get("whole", "arrayBuffer"));
      const isRight = whole.length === size && whole[0] === 5 && whole[size - 1] === 5;
      await KV.put("whole", pieces(size));
      let received = 0;
      for await (const chunk of await KV.get("whole", "stream")) received += chunk.length;
      return Response.json([isRight, received === size, await thrown(KV.put("k", new Uint8Array(size + 1))),
        await thrown(KV.put("k", pieces(size + 1))), await KV.get("k")])`);
    const [isRight, isAll, whole, pieces, value] = answer as [boolean, boolean, string, string, null];
    assert.deepEqual([isRight, isAll, value], [true, true, null]);
    assert.match(whole, /^Error: KV PUT failed: 413 /);
    assert.match(pieces, /^Error: KV PUT failed: 413 /);
  });

  it('getWithMetadata() gives what was put along', async () => {
    const answer = await run(`
      await KV.put("k", "v", { metadata: { name: "ü\\n\\"", list: [1, null] } });
      await KV.put("plain", "v");
      return Response.json([await KV.getWithMetadata("k"), await KV.getWithMetadata("k", "json").catch((error) => error.name),
        await KV.getWithMetadata("plain"), await KV.getWithMetadata("absent")])`);
    assert.deepEqual(answer, [
      { value: 'v', metadata: { name: 'ü\n"', list: [1, null] }, cacheStatus: null },
      'SyntaxError',
      { value: 'v', metadata: null, cacheStatus: null },
      { value: null, metadata: null, cacheStatus: null },
    ]);
  });

  it('get() of several keys gives a Map', async () => {
    const answer = await run(`
      await KV.put("a", "1", { metadata: { m: 1 } });
      await KV.put("b", "");
      const texts = await KV.get(["a", "b", "absent", "a"]);
      const values = await KV.get(["a", "absent"], "json");
      const all = await KV.getWithMetadata(["a", "absent"]);
      const keys = (count) => Array.from({ length: count }, (_, i) => "k" + i);
      return Response.json([texts instanceof Map, [...texts], [...values], [...all], (await KV.get(keys(100))).size,
        await thrown(KV.get(keys(101))), await thrown(KV.get(["a"], "stream"))])`);
    assert.deepEqual(answer, [
      true,
      [
        ['a', '1'],
        ['b', ''],
        ['absent', null],
      ],
      [
        ['a', 1],
        ['absent', null],
      ],
      [
        ['a', { value: '1', metadata: { m: 1 }, cacheStatus: null }],
        ['absent', { value: null, metadata: null, cacheStatus: null }],
      ],
      100,
      'Error: KV GET_BULK failed: 400 You can request a maximum of 100 keys',
      'Error: KV GET_BULK failed: 400 "stream" is not a valid type. Use "json" or "text"',
    ]);
  });

  it('list() goes by prefix, a page at a time, with metadata and expiration', async () => {
    const answer = (await run(`
      for (const key of ["a:2", "a:1", "b", "a:3"]) await KV.put(key, "v", { metadata: key, expirationTtl: key === "b" ? undefined : 3600 });
      const first = await KV.list({ prefix: "a:", limit: 2 });
      const second = await KV.list({ prefix: "a:", limit: 2, cursor: first.cursor });
      const all = await KV.list();
      return Response.json([first, second, all.keys.map(({ name }) => name), all.list_complete, "cursor" in all,
        await thrown(KV.list({ limit: 1001 })), await thrown(KV.list({ limit: 0 })), await thrown(KV.list({ cursor: "?" }))])`)) as [
      { keys: { name: string; expiration: number; metadata: string }[]; list_complete: boolean },
      { keys: { name: string }[]; list_complete: boolean },
      ...unknown[],
    ];
    const [first, second, ...rest] = answer;
    assert.deepEqual(
      first.keys.map(({ name, metadata }) => [name, metadata]),
      [
        ['a:1', 'a:1'],
        ['a:2', 'a:2'],
      ],
    );
    const inAnHour = Date.now() / 1000 + 3600;
    assert.ok(Math.abs(first.keys[0]!.expiration - inAnHour) < 60, String(first.keys[0]!.expiration));
    assert.equal(first.list_complete, false);
    assert.deepEqual([second.keys.map(({ name }) => name), second.list_complete], [['a:3'], true]);
    assert.deepEqual(rest, [
      ['a:1', 'a:2', 'a:3', 'b'],
      true,
      false,
      'Error: KV GET failed: 400 Invalid key_count_limit of 1001. Please specify an integer less than or equal to 1000.',
      'Error: KV GET failed: 400 Invalid key_count_limit of 0. Please specify an integer greater than 0.',
      'Error: KV GET failed: 400 Invalid cursor: it is not one that a list has given.',
    ]);
  });

  it('delete() removes, also what is not there', async () => {
    const answer = await run(`
      await KV.put("k", "v");
      return Response.json([await KV.delete("k") === undefined, await KV.get("k"), await KV.delete("k") === undefined])`);
    assert.deepEqual(answer, [true, null, true]);
  });

  it('says what is wrong with a key, a value, metadata or an expiration, as Workers do', async () => {
    const answer = await run(`
      const now = Math.floor(Date.now() / 1000);
      await KV.put("é".repeat(256), "at the limit", { metadata: "m".repeat(1022), expirationTtl: 60 });
      return Response.json([
        await KV.get("é".repeat(256)),
        await thrown(KV.get("")), await thrown(KV.put(".", "v")), await thrown(KV.delete("..")),
        await thrown(KV.get("k".repeat(513))),
        await thrown(KV.get("k", "blob")), await thrown(KV.put("k", {})), await thrown(KV.put("k")), await thrown(KV.get("k", { cacheTtl: 5 })),
        await thrown(KV.put("k", "v", { metadata: "m".repeat(1023) })),
        await thrown(KV.put("k", "v", { expirationTtl: 59 })), await thrown(KV.put("k", "v", { expirationTtl: "soon" })),
        await thrown(KV.put("k", "v", { expiration: now + 30 })).then((text) => text.replace(/\\d{9,}/, "T")),
        await thrown(KV.put("k", "v", { expiration: 5 })),
        await KV.get("k")])`);
    assert.deepEqual(answer, [
      'at the limit',
      'TypeError: Key name cannot be empty.',
      'TypeError: "." is not allowed as a key name.',
      'TypeError: ".." is not allowed as a key name.',
      'Error: KV GET failed: 414 UTF-8 encoded length of 513 exceeds key length limit of 512.',
      'TypeError: Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".',
      'TypeError: KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.',
      "TypeError: Failed to execute 'put' on 'KvNamespace': 2 arguments required, but only 1 present.",
      'Error: KV GET failed: 400 Invalid cache_ttl of 5. Cache TTL must be at least 30.',
      'Error: KV PUT failed: 413 Metadata length of 1025 exceeds limit of 1024.',
      'Error: KV PUT failed: 400 Invalid expiration_ttl of 59. Expiration TTL must be at least 60.',
      'Error: KV PUT failed: 400 Invalid expiration_ttl of NaN. Please specify integer greater than 0.',
      'Error: KV PUT failed: 400 Invalid expiration of T. Expiration times must be at least 60 seconds in the future.',
      'Error: KV PUT failed: 400 Invalid expiration of 5. Please specify integer greater than the current number of seconds since the UNIX epoch.',
      null,
    ]);
  });

  it('does not care what a program has done to the built-ins', async () => {
    const answer = await run(`
      for (const target of [JSON, Map.prototype, Array.prototype, String.prototype, Uint8Array.prototype, Object.getPrototypeOf(Uint8Array.prototype), Promise.prototype]) {
        for (const name of ["parse", "stringify", "set", "push", "slice", "split", "subarray", "toWellFormed", "isWellFormed", "indexOf"]) {
          if (name in target) target[name] = () => { throw new Error("steered by " + name) };
        }
      }
      globalThis.encodeURIComponent = globalThis.decodeURIComponent = () => { throw new Error("steered") };
      await KV.put("k/ü", '{"a":1}', { metadata: [1] });
      const { value, metadata } = await KV.getWithMetadata("k/ü", "json");
      const many = await KV.get(["k/ü"]);
      const { keys } = await KV.list();
      return new Response('[' + value.a + ',' + metadata[0] + ',' + many.size + ',"' + keys[0].name + '"]')`);
    assert.deepEqual(answer, [1, 1, 1, 'k/ü']);
  });

  it('keeps what another version of the Worker, or another Worker, puts into the same namespace', async () => {
    await run(`await KV.put("shared", "here"); return Response.json(null)`, { namespace: 'one' });
    assert.equal(await run(`return Response.json(await KV.get("shared"))`, { namespace: 'one' }), 'here');
    assert.equal(await run(`return Response.json(await KV.get("shared"))`, { namespace: 'two' }), null);
  });

  it('is kept in a file when there is to be one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isola-kv-'));
    const kvPath = join(folder, 'kv.sqlite');
    const at = { namespace: 'n' };
    {
      await using first = await createRuntime({ kvPath });
      await run(`await KV.put("k", "kept"); return Response.json(null)`, { ...at, on: first });
    }
    await using second = await createRuntime({ kvPath });
    assert.equal(await run(`return Response.json(await KV.get("k"))`, { ...at, on: second }), 'kept');
    rmSync(folder, { recursive: true });
  });
});
