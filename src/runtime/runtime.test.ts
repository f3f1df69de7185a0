import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type InvocationRecord, type Runtime } from '../index.ts';

const encoder = new TextEncoder();

function worker(body: string): { modules: Record<string, string> } {
  return { modules: { 'index.js': `export default { async fetch(request, env, ctx) { ${body} } }` } };
}

describe('Runtime', () => {
  let runtime: Runtime;
  const records: InvocationRecord[] = [];
  const recorded = new EventEmitter();
  const get = (name: string, path = '/', init?: RequestInit) =>
    runtime.fetch(name, new Request(`http://${name}${path}`, init));
  /** The record of a Worker's only invocation so far: it is made when the invocation ends, after the response. */
  const recordOf = async (name: string): Promise<InvocationRecord> => {
    const made = records.find((record) => record.worker === name);
    return made ?? ((await once(recorded, name))[0] as InvocationRecord);
  };

  before(async () => {
    runtime = await createRuntime({
      onRecord: (record) => {
        records.push(record);
        recorded.emit(record.worker, record);
      },
    });
  });
  after(() => runtime.close());

  it('serves what was deployed, and the newer code after a second deploy', async () => {
    await runtime.deploy('hello', worker('return new Response("one")'));
    assert.equal(await (await get('hello')).text(), 'one');
    await runtime.deploy('hello', worker('return new Response("two", { status: 201, headers: { "x-a": "b" } })'));
    const response = await get('hello');
    assert.equal(await response.text(), 'two');
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('x-a'), 'b');
    while (runtime.usage('hello').requests < 2) await once(recorded, 'hello');
    assert.ok(runtime.usage('hello').cpuUs > 0);
  });

  it('refuses code that does not compile, with its position, and goes on serving the old', async () => {
    await runtime.deploy('stays', worker('return new Response("old")'));
    await assert.rejects(runtime.deploy('stays', { modules: { 'index.js': 'const x = 1;\nlet y = ;' } }), {
      name: 'PlatformError',
      kind: 'invalidUpload',
      message: /Unexpected token ';'\n {2}at index\.js:2:9/,
    });
    await assert.rejects(runtime.deploy('stays', { modules: { 'index.js': '\nthrow new TypeError("no");' } }), {
      message: /Uncaught TypeError: no\n {2}at index\.js:2:7/,
    });
    assert.equal(await (await get('stays')).text(), 'old');
  });

  it('rejects a request for an unknown Worker', async () => {
    await assert.rejects(get('nobody'), { kind: 'workerNotFound' });
  });

  it('gives a handler method, URL, headers and body, and streams bodies both ways', async () => {
    await runtime.deploy('echo', worker('return new Response(request.body, { headers: request.headers })'));
    const chunks = Array.from({ length: 50 }, (_, index) => encoder.encode(`${index}`.padEnd(10_000, '.')));
    const body = ReadableStream.from(chunks);
    const response = await get('echo', '/', { method: 'POST', body, duplex: 'half', headers: { 'x-mine': '1' } });
    assert.equal(response.headers.get('x-mine'), '1');
    const text = await response.text();
    assert.equal(text.length, 500_000);
    assert.ok(text.startsWith('0....') && text.includes('49....'));
  });

  it('decodes a legacy encoding, whose tables are loaded on first use', async () => {
    const code = worker('return new Response(new TextDecoder("shift_jis").decode(await request.bytes()))');
    await runtime.deploy('kanji', { ...code, limits: { cpuMs: 1_000 } });
    const response = await get('kanji', '/', { method: 'POST', body: new Uint8Array([0x82, 0xa0]) });
    assert.equal(await response.text(), '\u3042');
  });

  it('loads several modules, text, data, JSON and WebAssembly', async () => {
    // (module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))
    const wasm = Buffer.from(
      '0061736d0100000001070160027f7f017f030201000707010361646400000a09010700200020016a0b',
      'hex',
    );
    await runtime.deploy('modules', {
      main: 'src/index.js',
      modules: {
        'src/index.js': `
          import { twice } from './lib/twice.js';
          import text from '../greeting.txt';
          import json from '../data.json';
          import data from '../data.bin';
          import wasm from './add.wasm';
          const { exports } = new WebAssembly.Instance(wasm);
          export default { fetch: () => Response.json({ twice: twice(2), text, json, data: data.byteLength, sum: exports.add(2, 3) }) };`,
        'src/lib/twice.js': 'import { two } from "../two.js"; export const twice = (n) => two * n;',
        'src/two.js': 'export const two = 2;',
        'greeting.txt': encoder.encode('hi'),
        'data.json': encoder.encode('{"a":[1]}'),
        'data.bin': new Uint8Array(3),
        'src/add.wasm': new Uint8Array(wasm),
      },
    });
    assert.deepEqual(await (await get('modules')).json(), { twice: 4, text: 'hi', json: { a: [1] }, data: 3, sum: 5 });
  });

  it('gives vars, and calls other Workers through service bindings', async () => {
    await runtime.deploy(
      'callee',
      worker('return new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`)'),
    );
    await runtime.deploy('caller', {
      ...worker(
        'const r = await env.CALLEE.fetch("http://callee/path", { method: "PUT", body: env.GREETING }); return new Response(`${await r.text()} ${env.CONF.n}`)',
      ),
      bindings: [
        { type: 'service', name: 'CALLEE', service: 'callee' as never },
        { type: 'plain_text', name: 'GREETING', text: 'hallo' },
        { type: 'json', name: 'CONF', json: { n: 7 } },
      ],
    });
    assert.equal(await (await get('caller')).text(), 'PUT /path hallo 7');
  });

  it('stops service bindings that call themselves at the depth limit', async () => {
    await runtime.deploy('loop', {
      ...worker(
        'const r = await env.SELF.fetch(request.url).catch((e) => new Response(e.message)); return new Response(r.body)',
      ),
      bindings: [{ type: 'service', name: 'SELF', service: 'loop' as never }],
    });
    assert.match(await (await get('loop')).text(), /nested 32 deep/);
  });

  it('counts subrequests, and refuses the one past the limit', async () => {
    await runtime.deploy('sub', worker('return new Response("ok")'));
    await runtime.deploy('many', {
      ...worker(
        'let ok = 0; let message = ""; for (let i = 0; i < 4; i++) await env.SUB.fetch("http://x/").then((r) => { ok++; return r.text() }, (e) => { message = e.message }); return new Response(`${ok} ${message}`)',
      ),
      bindings: [{ type: 'service', name: 'SUB', service: 'sub' as never }],
      limits: { subrequests: 3 },
    });
    assert.match(await (await get('many')).text(), /^3 Too many subrequests/);
  });

  it('answers 500 with an error id when the handler throws, and records the exception', async () => {
    await runtime.deploy('throws', worker('console.warn("before", { a: 1 }); throw new RangeError("boom")'));
    const response = await get('throws');
    assert.equal(response.status, 500);
    const record = await recordOf('throws');
    assert.ok((await response.text()).includes(record.ray));
    assert.equal(record.outcome, 'exception');
    assert.equal(record.exceptions[0]?.message, 'boom');
    assert.match(record.exceptions[0]?.stack ?? '', /index\.js:1:\d+/);
    assert.doesNotMatch(record.exceptions[0]?.stack ?? '', /isola:guest/);
    assert.deepEqual(
      record.logs.map(({ level, message }) => [level, message]),
      [['warn', 'before { a: 1 }']],
    );
  });

  it('stops an endless loop at its CPU limit and serves the next request', async () => {
    await runtime.deploy(
      'spin',
      worker('if (request.url.endsWith("/spin")) for (;;) globalThis.g = new Array(1000); return new Response("fine")'),
    );
    const response = await get('spin', '/spin');
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('x-isola-outcome'), 'exceededCpu');
    assert.equal((await recordOf('spin')).outcome, 'exceededCpu');
    assert.equal(await (await get('spin')).text(), 'fine');
  });

  it('stops a loop behind an await, and one in an error getter', async () => {
    await runtime.deploy('later', worker('await new Promise((r) => setTimeout(r, 1)); for (;;);'));
    assert.equal((await get('later')).status, 503);
    await runtime.deploy(
      'getter',
      worker(`throw Object.defineProperty(new Error('e'), 'message', { get() { for (;;); } })`),
    );
    assert.equal((await get('getter')).status, 503);
  });

  for (const [kind, chunk] of [
    ['heap', 'new Array(1000).fill({})'],
    ['buffer', 'new Uint8Array(1 << 20).fill(1)'],
  ]) {
    it(`ends an invocation that passes its memory limit (${kind})`, async () => {
      await runtime.deploy(`greedy-${kind}`, {
        ...worker(`const kept = []; for (;;) kept.push(${chunk})`),
        limits: { memoryMiB: 32, cpuMs: 5_000 },
      });
      assert.equal((await get(`greedy-${kind}`)).status, 503);
      assert.equal((await recordOf(`greedy-${kind}`)).outcome, 'exceededMemory');
    });
  }

  it('ends a Worker that can never answer', async () => {
    await runtime.deploy('hangs', worker('await new Promise(() => {})'));
    assert.equal((await get('hangs')).status, 500);
    assert.match((await recordOf('hangs')).exceptions[0]?.message ?? '', /hung/);
  });

  it('does not wait for a body that the Worker has given up', async () => {
    await runtime.deploy(
      'endless',
      worker('return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(1000)) } }))'),
    );
    await runtime.deploy('gives-up', {
      ...worker(`
        for (let i = 0; i < 3; i++) await (await env.ENDLESS.fetch("http://x/")).body.cancel();
        await new Promise(() => {})`),
      bindings: [{ type: 'service', name: 'ENDLESS', service: 'endless' as never }],
    });
    assert.equal((await get('gives-up')).status, 500);
    assert.match((await recordOf('gives-up')).exceptions[0]?.message ?? '', /hung/);
  });

  it('keeps clocks still while code runs, and moves them with I/O', async () => {
    await runtime.deploy(
      'clock',
      worker(`
        const read = () => [Date.now(), performance.now(), +new Date(), Temporal.Now.instant().epochMilliseconds];
        const a = read(); for (let i = 0; i < 3e6; i++); const b = read();
        await new Promise((r) => setTimeout(r, 20)); const c = read();
        return Response.json({ still: a.every((v, i) => v === b[i]), moved: c.every((v, i) => v > b[i]) })`),
    );
    assert.deepEqual(await (await get('clock')).json(), { still: true, moved: true });
  });

  it('runs waitUntil work after the response, in the same record', async () => {
    await runtime.deploy(
      'after',
      worker(
        'ctx.waitUntil(new Promise((r) => setTimeout(r, 10)).then(() => console.log("later"))); return new Response("now")',
      ),
    );
    assert.equal(await (await get('after')).text(), 'now');
    assert.equal((await recordOf('after')).logs[0]?.message, 'later');
  });

  it('cuts a log at its limit and says so', async () => {
    await runtime.deploy('noisy', {
      ...worker('for (let i = 0; i < 400; i++) console.log("x".repeat(1000)); return new Response("ok")'),
      limits: { cpuMs: 5_000 },
    });
    assert.equal((await get('noisy')).status, 200);
    const record = await recordOf('noisy');
    assert.equal(record.truncated, true);
    assert.equal(record.logs.length, 246);
  });

  it('refuses private addresses to fetch', async () => {
    await runtime.deploy(
      'ssrf',
      worker('return new Response(await fetch("http://127.0.0.1:8080/").then(() => "reached", (e) => e.message))'),
    );
    assert.match(await (await get('ssrf')).text(), /private|not allow/);
  });

  it('tells stacks in terms of the source, by a map beside a module or inside it', async () => {
    // Line 1 of the module from column 0 on is line 3 of a.ts.
    const map = JSON.stringify({ version: 3, sources: ['../src/a.ts'], names: [], mappings: 'AAEA' });
    const modules = { 'index.js': 'export default { fetch() { throw new Error("told") } }' };
    await runtime.deploy('mapped', { modules, sourceMaps: { 'index.js.map': map } });
    await get('mapped');
    assert.match(
      (await recordOf('mapped')).exceptions[0]?.stack ?? '',
      /told\n {4}at .*fetch \(\.\.\/src\/a\.ts:3:1\)$/,
    );

    const broken = `throw new Error("top");\n//# sourceMappingURL=data:application/json,${encodeURIComponent(map)}`;
    await assert.rejects(runtime.deploy('mapped', { modules: { 'index.js': broken } }), {
      message: 'Uncaught Error: top\n  at ../src/a.ts:3:1',
    });
  });

  it('tells the causes of an exception, and the members of an AggregateError', async () => {
    await runtime.deploy(
      'causes',
      worker(`
        const loop = new Error('loop'); loop.cause = loop;
        const evil = { get message() { throw 1 }, get stack() { for (;;) return {} }, toJSON() { throw 2 } };
        const why = new Error('why', { cause: new TypeError('root', { cause: 'text' }) });
        throw new AggregateError([new Error('one'), loop, evil, 5], 'many', { cause: why });
      `),
    );
    await get('causes');
    const stack = (await recordOf('causes')).exceptions[0]?.stack ?? '';
    const lines = stack.split('\n').filter((line) => !line.startsWith('    at '));
    assert.deepEqual(lines, [
      'AggregateError: many',
      '  [errors.0]: Error: one',
      '  [errors.1]: Error: loop',
      '  [errors.2]: Thrown value is not an Error',
      '  [errors.3]: 5',
      '  [cause]: Error: why',
      '  [cause]: TypeError: root',
      '  [cause]: text',
    ]);
    await runtime.deploy('loops', worker(`const e = new Error('x'); e.cause = e; throw e;`));
    await get('loops');
    assert.equal((await recordOf('loops')).exceptions[0]?.stack.split('[cause]').length, 5);
  });

  it('names the value and the range of a limit that is out of it', async () => {
    await assert.rejects(runtime.deploy('limits', { ...worker(''), limits: { cpuMs: 0 } }), {
      message: 'Cannot deploy "limits": limits.cpuMs is 0, allowed are 1 to 300000',
    });
  });
});
