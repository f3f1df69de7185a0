/** A Worker cannot time its own computation: whatever tells the time, or an order, says the same before and after. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { createRuntime, type InvocationRecord, type Runtime } from '../index.ts';

const COMPUTED_US = 2_000; // of each way, and far above the millisecond that it is to see
const COMPUTE = `
  const compute = () => { let sum = 0; for (let i = 0; i < 6e6; i++) sum += i % 7; return sum; };
  const buffer = typeof SharedArrayBuffer === "function" ? new SharedArrayBuffer(8) : new ArrayBuffer(8);`;

/** Expressions whose values must be equal before and after. */
const READINGS: Readonly<Record<string, string>> = {
  'Date.now()': 'Date.now()',
  'new Date()': 'new Date().toISOString()',
  'Date()': 'Date()',
  'Reflect.construct(Date)': 'Reflect.construct(Date, []).getTime()',
  'a subclass of Date': 'new (class extends Date {})().getTime()',
  'Date of another way': 'new (new Date(0).constructor)().getTime()',
  'toLocaleTimeString()': 'new Date().toLocaleTimeString("en", { fractionalSecondDigits: 3 })',
  'Intl.DateTimeFormat.format()':
    'new Intl.DateTimeFormat("en", { minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 }).format()',
  'Intl.DateTimeFormat.formatToParts()':
    'JSON.stringify(new Intl.DateTimeFormat("en", { second: "2-digit", fractionalSecondDigits: 3 }).formatToParts())',
  'Temporal.Now.instant()': 'Temporal.Now.instant().epochNanoseconds',
  'Temporal.Now.zonedDateTimeISO()': 'Temporal.Now.zonedDateTimeISO("UTC").toString()',
  'Temporal.Now.plainDateTimeISO()': 'Temporal.Now.plainDateTimeISO().toString()',
  'Temporal.Now.plainTimeISO()': 'Temporal.Now.plainTimeISO().toString()',
  'performance.now()': 'performance.now()',
  'performance.timeOrigin': 'performance.timeOrigin + performance.now()',
  'performance.mark()': 'performance.mark("a").startTime',
  'performance.measure()': 'performance.measure("b").duration',
  'performance.toJSON()': 'JSON.stringify(performance.toJSON())',
  'Event.timeStamp': 'new Event("a").timeStamp',
  'MessageEvent.timeStamp': 'new MessageEvent("a").timeStamp',
  'File.lastModified': 'new File([], "a").lastModified',
  'File of a form':
    '(() => { const form = new FormData(); form.set("a", new Blob([]), "a"); return form.get("a").lastModified; })()',
  'AbortSignal.timeout()': '(globalThis.signal ??= AbortSignal.timeout(1)).aborted',
  'process.hrtime()': 'String(process.hrtime())',
  'process.hrtime.bigint()': 'process.hrtime.bigint()',
  'process.uptime()': 'process.uptime()',
  'process.cpuUsage()': 'JSON.stringify(process.cpuUsage?.())',
  'process.resourceUsage()':
    '(() => { try { return JSON.stringify(process.resourceUsage()); } catch (error) { return error.name; } })()',
  'node:perf_hooks': 'perf.performance.now() + (perf.performance.eventLoopUtilization?.().active ?? 0)',
  'node:os': 'JSON.stringify([os.uptime(), os.loadavg(), os.cpus()])',
  'the headers of a response': 'JSON.stringify([...new Response("a").headers])',
  'shared memory': 'new Int32Array(buffer)[0]',
  WeakRef: '(globalThis.weak ??= new WeakRef({})).deref() !== undefined',
  'request.cf': 'JSON.stringify(request.cf ?? {})',
};

/** Bodies that await something and give an order or a count: the same with a computation at `compute()` and without. */
const ORDERS: Readonly<Record<string, string>> = {
  'timers of different delays':
    'setTimeout(() => note("first"), 2); compute(); setTimeout(() => note("second"), 0); await scheduler.wait(20);',
  'many timers':
    'for (let i = 1; i < 20; i++) setTimeout(() => note(i), i); compute(); setTimeout(() => note("last"), 0); await scheduler.wait(40);',
  'an interval beside a timer':
    'let n = 0; const id = setInterval(() => n++, 2); compute(); await scheduler.wait(1); clearInterval(id); note(n);',
  'AbortSignal.timeout() beside a timer':
    'const signal = AbortSignal.timeout(2); signal.onabort = () => note("aborted"); compute(); await scheduler.wait(0); note(signal.aborted);',
  'scheduler.postTask()':
    'scheduler.postTask(() => note("delayed"), { delay: 2 }); compute(); await scheduler.postTask(() => note("task"), { delay: 1 }); await scheduler.wait(20);',
  'a message beside a timer':
    'const { port1, port2 } = new MessageChannel(); port2.onmessage = () => note("message"); setTimeout(() => note("timer"), 3); compute(); port1.postMessage(1); await scheduler.wait(20); port1.close();',
  'two ends of a WebSocket beside a timer':
    'const [a, b] = Object.values(new WebSocketPair()); a.accept(); b.accept(); b.addEventListener("message", () => note("message")); setTimeout(() => note("timer"), 3); compute(); a.send("x"); await scheduler.wait(20);',
  microtasks:
    'queueMicrotask(() => note("micro")); Promise.resolve().then(() => note("promise")); compute(); await null; note("awaited");',
  'a stream':
    'const stream = new ReadableStream({ pull(controller) { note("pull"); controller.close(); } }); compute(); await new Response(stream).text(); note("read");',
  'a finalizer':
    'const registry = new FinalizationRegistry(() => note("finalized")); registry.register({}, 1); compute(); await null; note("awaited");',
  'console.time()': 'console.time("a"); compute(); console.timeEnd("a"); note("timed");',
};

describe('A Worker that times its own computation', { timeout: 60_000 }, () => {
  let runtime: Runtime;
  const records: InvocationRecord[] = [];
  const recorded = new EventEmitter();
  let workers = 0;
  before(async () => {
    runtime = await createRuntime({
      onRecord: (record) => {
        records.push(record);
        recorded.emit('record');
      },
    });
  });
  after(() => runtime.close());

  /** A Worker whose fetch has this body; asked so often, its cell's own thread and the pool have both had it. */
  const run = async (body: string): Promise<string[]> => {
    const name = `w${++workers}`;
    const code = `import os from "node:os"; import perf from "node:perf_hooks"; import process from "node:process";
      ${COMPUTE} export default { async fetch(request) {
        if (request.url.endsWith("/warm")) return new Response("warm");
        ${body} } }`;
    await runtime.deploy(name, {
      modules: { 'index.js': code },
      compatibilityFlags: ['nodejs_compat'],
      limits: { cpuMs: 10_000 },
    });
    const ask = async (path: string) => {
      const response = await runtime.fetch(name, new Request(`http://${name}${path}`));
      const text = await response.text();
      assert.equal(response.status, 200, text);
      return text;
    };
    const first = await ask('/');
    for (let call = 0; call < 3; call++) await ask('/warm');
    return [first, await ask('/')];
  };

  for (const [name, expression] of Object.entries(READINGS)) {
    it(`sees nothing by ${name}`, async () => {
      const answers = await run(
        `const read = () => String(${expression}); const a = read(); compute(); const b = read(); await null; const c = read(); return new Response([a === b, b === c, a, b, c].join("\\n"));`,
      );
      for (const answer of answers) assert.match(answer, /^true\ntrue\n/);
    });
  }

  for (const [name, body] of Object.entries(ORDERS)) {
    it(`sees nothing by the order of ${name}`, async () => {
      const idle = await run(
        `const seen = []; const note = (what) => seen.push(what); const compute = () => {}; ${body} return Response.json(seen);`,
      );
      const busy = await run(
        `const seen = []; const note = (what) => seen.push(what); ${body} return Response.json(seen);`,
      );
      assert.deepEqual(busy, idle);
    });
  }

  it('has computed for longer than a millisecond each time', () => {
    const computed = records.filter(({ url }) => url?.endsWith('/') === true);
    assert.ok(computed.filter(({ cpuUs }) => cpuUs > COMPUTED_US).length >= 2 * Object.keys(READINGS).length);
  });

  it('shows nothing in the times of its log lines', async () => {
    await run(
      'console.log("a"); compute(); console.log("b"); console.time("c"); compute(); console.timeEnd("c"); return new Response();',
    );
    const findLogged = () => records.filter(({ logs }) => logs.length === 3);
    while (findLogged().length < 2) await once(recorded, 'record'); // they are made after the answers
    const logged = findLogged();
    for (const { logs } of logged) {
      assert.equal(new Set(logs.map(({ timestamp }) => timestamp)).size, 1);
      assert.match(logs[2]?.message ?? '', /^c: 0(\.0+)? ?ms$/);
    }
  });

  it('has no thread to count by', async () => {
    const names = ['Worker', 'SharedWorker', 'Atomics?.wait', 'Atomics?.waitAsync', 'require'];
    const [answer] = await run(`return Response.json([${names.map((name) => `typeof globalThis.${name}`).join()}])`);
    assert.deepEqual(
      JSON.parse(answer ?? ''),
      names.map(() => 'undefined'),
    );
  });

  it('has no identifiers with a time in them', async () => {
    const [answer] = await run('return new Response(crypto.randomUUID())');
    assert.match(answer ?? '', /^.{14}4/); // version 4: random
  });
});
