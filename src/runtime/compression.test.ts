/** CompressionStream and DecompressionStream as Workers see them. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { brotliCompressSync, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createRuntime, type Runtime } from '../index.ts';
import { MAX_COMPRESSION_STREAMS } from '../limits.ts';

const FORMATS = ['brotli', 'deflate', 'deflate-raw', 'gzip', 'zstd'];
const MIB = 1024 * 1024;
const text = JSON.stringify(Array.from({ length: 20_000 }, (_, index) => ({ index, name: `user ${index % 977}` })));

describe('Compression streams', () => {
  let runtime: Runtime;
  let workers = 0;
  /** Runs the body of a fetch handler once and answers its response. */
  const run = async (body: string, init?: RequestInit, limits = {}): Promise<Response> => {
    const name = `w${++workers}`;
    const source = `export default { async fetch(request, env, ctx) { ${body} } }`;
    await runtime.deploy(name, { modules: { 'index.js': source }, limits: { cpuMs: 5_000, ...limits } });
    return runtime.fetch(name, new Request(`http://${name}/`, init));
  };

  before(async () => {
    runtime = await createRuntime();
  });
  after(() => runtime.close());

  for (const format of FORMATS) {
    it(`give back by ${format} what was put in, in short chunks and in long ones`, async () => {
      const response = await run(
        `const path = (chunks) => ReadableStream.from(chunks)
           .pipeThrough(new CompressionStream("${format}"))
           .pipeThrough(new DecompressionStream("${format}"));
         const bytes = await request.bytes();
         const short = [];
         for (let i = 0; i < bytes.length; i += 10_000) short.push(bytes.subarray(i, i + 10_000));
         const [a, b] = await Promise.all([short, [bytes]].map((chunks) => new Response(path(chunks)).text()));
         if (a !== b) throw new Error("they differ");
         return new Response(a)`,
        { method: 'POST', body: text },
      );
      assert.equal(await response.text(), text);
    });
  }

  it('make what others can read, and read what others made', async () => {
    const compressed = await run(
      'return new Response(request.body.pipeThrough(new CompressionStream("gzip")), { headers: { "x-a": "b" } })',
      { method: 'POST', body: text },
    );
    const bytes = Buffer.from(await compressed.arrayBuffer());
    assert.ok(bytes.length < text.length / 4);
    assert.equal(gunzipSync(bytes).toString(), text);
    const body = new Uint8Array(brotliCompressSync(text));
    const response = await run(
      'return new Response(request.body.pipeThrough(new DecompressionStream("brotli")), { headers: { "x-a": "b" } })',
      { method: 'POST', body },
    );
    assert.equal(await response.text(), text);
  });

  it('unfold a bomb no further than it is read', async () => {
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(128 * MIB), { level: 9 }));
    const response = await run(
      `const reader = request.body.pipeThrough(new DecompressionStream("gzip")).getReader();
       let bytes = 0;
       while (bytes < 1e6) bytes += (await reader.read()).value.byteLength;
       await reader.cancel();
       return new Response(bytes)`,
      { method: 'POST', body: bomb },
      { memoryMiB: 32 },
    );
    const bytes = Number(await response.text());
    assert.ok(bytes >= 1e6 && bytes < 1.2e6, `${bytes} bytes`);
  });

  it('refuse a window larger than everybody has', async () => {
    const body = new Uint8Array(
      zstdCompressSync(Buffer.alloc(64 * MIB, 'ab'), { params: { 100: 1, 101: 27 }, pledgedSrcSize: 64 * MIB }),
    );
    const response = await run(
      `return new Response(await new Response(request.body.pipeThrough(new DecompressionStream("zstd"))).text()
         .then(() => "read", (error) => error.name))`,
      { method: 'POST', body },
    );
    assert.equal(await response.text(), 'TypeError');
  });

  for (const [what, input] of Object.entries({
    'bad data': '[1, 2, 3]',
    'no data': '[]',
    'truncated data': '[...whole.subarray(0, -3)]',
    'data after the end': '[...whole, 0]',
  })) {
    it(`fail with a TypeError on ${what}`, async () => {
      const body = new Uint8Array(gzipSync('hello'));
      const response = await run(
        `const whole = await request.bytes();
         const { readable, writable } = new DecompressionStream("gzip");
         const writer = writable.getWriter();
         const writing = Promise.all([writer.write(new Uint8Array(${input})), writer.close()]).catch((error) => error);
         const reading = await new Response(readable).text().catch((error) => error);
         const written = await writing;
         return Response.json([written === reading, reading.name, reading.message])`,
        { method: 'POST', body },
      );
      const [same, name, message] = (await response.json()) as [boolean, string, string];
      assert.ok(same);
      assert.equal(name, 'TypeError');
      assert.match(message, /^Cannot decompress: [a-z ]+ \(Z_[A-Z_]+\)$/);
    });
  }

  it('refuse chunks that are not bytes, and formats that do not exist', async () => {
    const response = await run(`
      const errors = [];
      for (const chunk of ["text", null, 1, {}, [1]]) {
        const { readable, writable } = new CompressionStream("gzip");
        const reading = readable.getReader().read().catch((error) => error.name);
        errors.push(await writable.getWriter().write(chunk).catch((error) => error.name), await reading);
      }
      for (const format of ["GZIP", "", "br", "__proto__", "toString"]) {
        try { new DecompressionStream(format) } catch (error) { errors.push(error.name) }
      }
      return Response.json([...new Set(errors), errors.length])`);
    assert.deepEqual(await response.json(), ['TypeError', 15]);
  });

  it('are bounded in number, and free what is over', async () => {
    const response = await run(`
      const open = async (close) => {
        const { readable, writable } = new DecompressionStream("gzip");
        const writer = writable.getWriter();
        void readable.getReader().read().catch(() => {});
        await writer.write(new Uint8Array([31]));
        if (close) await writer.abort(new Error("enough"));
        return writer;
      };
      for (let i = 0; i < ${2 * MAX_COMPRESSION_STREAMS}; i++) await open(true);
      const kept = [];
      let message;
      try { for (;;) kept.push(await open(false)) } catch (error) { message = error.message }
      return Response.json([kept.length, message])`);
    const [kept, message] = (await response.json()) as [number, string];
    assert.equal(kept, MAX_COMPRESSION_STREAMS);
    assert.match(message, /^Too many compression streams/);
  });

  it('count as memory of their Worker', async () => {
    const response = await run(
      `const open = (format) => {
         const { readable, writable } = new DecompressionStream(format);
         const writer = writable.getWriter();
         void readable.getReader().read().catch(() => {});
         return writer.write(new Uint8Array([40]));
       };
       let opened = 0;
       try { for (;;) { await open("zstd"); opened++ } } catch (error) { return Response.json([opened, error.message]) }`,
      {},
      { memoryMiB: 32 },
    );
    const [opened, message] = (await response.json()) as [number, string];
    assert.equal(opened, 3);
    assert.match(message, /more memory than the Worker has/);
  });

  it('end with the event they belong to', async () => {
    const name = 'keeps';
    const source = `
      let kept = [];
      export default { async fetch() {
        for (let i = 0; i < ${MAX_COMPRESSION_STREAMS - 10}; i++) {
          const { readable, writable } = new DecompressionStream("gzip");
          kept.push(readable, writable);
          void readable.getReader().read().catch(() => {});
          await writable.getWriter().write(new Uint8Array([31]));
        }
        return new Response(String(kept.length));
      } }`;
    await runtime.deploy(name, { modules: { 'index.js': source }, limits: { cpuMs: 5_000 } });
    for (const count of [492, 984]) {
      const response = await runtime.fetch(name, new Request('http://keeps/'));
      assert.equal(await response.text(), String(count));
    }
  });

  it('are no way around the CPU limit', async () => {
    const response = await run(
      `const { readable, writable } = new CompressionStream("gzip");
       ctx.waitUntil(readable.pipeTo(new WritableStream()));
       const writer = writable.getWriter();
       const chunk = new Uint8Array(16_000).map((_, index) => index * index % 251);
       for (;;) await writer.write(chunk)`,
      {},
      { cpuMs: 100 },
    );
    assert.equal(response.headers.get('x-isola-outcome'), 'exceededCpu');
  });

  it('work when built-ins have been replaced', async () => {
    const response = await run(
      `for (const type of [Uint8Array, Map, FinalizationRegistry]) {
         for (const key of Reflect.ownKeys(type.prototype)) {
           if (key === "constructor" || typeof Object.getOwnPropertyDescriptor(type.prototype, key).value !== "function") continue;
           type.prototype[key] = () => { throw new Error("caught") };
         }
       }
       const { readable, writable } = new CompressionStream("gzip");
       const writer = writable.getWriter();
       void writer.write(new Uint8Array(100_000));
       void writer.close();
       return new Response(readable, { headers: { a: "b" } })`,
    );
    assert.equal(gunzipSync(Buffer.from(await response.arrayBuffer())).length, 100_000);
  });
});
