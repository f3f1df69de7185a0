import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { HOST, ENTER } from '../guest/abi.ts';
import { WARMUP, buildGuest } from '../guest/index.ts';
import type { VersionId } from '../ids.ts';
import { DEFAULT_LIMITS, STARTUP_CPU_MS } from '../limits.ts';
import type { VersionCode } from '../model.ts';
import { ENTRY, Engine, type GuestIsolate, type Variant } from './index.ts';

const ATTACH = { bindings: [], compatibilityDate: '2026-01-01', compatibilityFlags: [], subrequests: 50 };
const BUDGET_US = 20_000;
const STARTUP_US = STARTUP_CPU_MS * 1e3;

let nextId = 1;

function toCode(source: string): VersionCode {
  const spec = {
    id: `v${nextId++}` as VersionId,
    mainModule: 'index.js',
    limits: DEFAULT_LIMITS,
  } as VersionCode['spec'];
  return { spec, modules: [{ name: 'index.js', kind: 'esm', content: Buffer.from(source) }] };
}

describe('Engine', () => {
  let engine: Engine;

  before(async () => {
    const { source, parts, assets } = await buildGuest();
    engine = await Engine.start({
      guest: { source, parts, assets, warmup: WARMUP },
      spares: 2,
      onStuck: 'ignore',
      onCatastrophe: (message) => assert.fail(message),
      now: Date.now,
    });
  });
  after(() => engine.close());

  /** An isolate whose handler runs `body`; `answers` collects what it responds. */
  async function load(
    body: string,
    { inline = false, variant = 'plain' }: { inline?: boolean; variant?: Variant } = {},
  ): Promise<{ guest: GuestIsolate; answers: unknown[] }> {
    const guest = engine.acquire(DEFAULT_LIMITS.memoryMiB, variant);
    const answers: unknown[] = [];
    guest.handler = {
      host: (op, _id, _status, _head, answer) => void (op === HOST.respond && answers.push(answer)),
      hostSync: () => undefined,
    };
    const code = toCode(`export default { fetch(request) { ${body} } }`);
    assert.deepEqual(await guest.load(code, ATTACH, { inline, budgetUs: STARTUP_US, cache: engine.cache }), ['fetch']);
    return { guest, answers };
  }
  const request = (id: number) => [ENTER.fetch, id, 'GET\nhttp://a/', undefined, 0] as const;

  it('makes isolates from a snapshot here', () => {
    assert.equal(engine.usesSnapshot, true);
  });

  it('has streams in an isolate from the start, or when they are named first', async () => {
    const body = `
      const before = Object.getOwnPropertyDescriptor(globalThis, 'ReadableStream');
      const { name } = ReadableStream;
      const after = Object.getOwnPropertyDescriptor(globalThis, 'ReadableStream');
      return new Response(['value' in before, name, after.writable, new ReadableStream() instanceof ReadableStream].join())`;
    for (const [variant, answer] of [
      ['plain', 'false,ReadableStream,true,true'],
      ['streams', 'true,ReadableStream,true,true'],
    ] as const) {
      const { guest, answers } = await load(body, { variant });
      assert.equal(guest.enter(BUDGET_US, request(1)), ENTRY.ok);
      assert.deepEqual(answers, [answer]);
      guest.dispose();
    }
  });

  it('enters inline and on the pool, and counts the CPU time of each entry', async () => {
    const { guest, answers } = await load('for (let i = 0; i < 1e6; i++); return new Response("hi")');
    assert.equal(guest.enter(BUDGET_US, request(1)), ENTRY.ok);
    assert.ok(guest.entryCpuUs > 0);
    assert.equal(await guest.enterPooled('unknown', BUDGET_US, request(2)), ENTRY.ok);
    assert.ok(guest.entryCpuUs > 0);
    assert.deepEqual(answers, ['hi', 'hi']);
    guest.dispose();
  });

  for (const place of ['inline', 'pooled'] as const) {
    it(`counts what the host does for an entry ${place}, once, and within its budget`, async () => {
      const { guest } = await load(
        'do { new URL("http://\u00e9/") } while (request.method === "PUT"); return new Response("hi")',
      );
      let head = 'GET\nhttp://a/';
      const enter = (budgetUs: number, id: number) => {
        const event = [ENTER.fetch, id, head, undefined, 0] as const;
        return place === 'inline' ? guest.enter(budgetUs, event) : guest.enterPooled('unknown', budgetUs, event);
      };
      guest.handler = {
        host: () => {},
        hostSync: () => {
          const before = process.threadCpuUsage();
          for (let usedUs = 0; usedUs < 50_000;) {
            const { user, system } = process.threadCpuUsage(before);
            usedUs = user + system;
          }
          return 'host';
        },
      };
      assert.equal(await enter(1e6, 1), ENTRY.ok);
      const { entryCpuUs } = guest;
      assert.ok(entryCpuUs > 45_000 && entryCpuUs < 90_000, `${entryCpuUs} µs`);
      head = 'PUT\nhttp://a/';
      assert.equal(await enter(BUDGET_US, 2), ENTRY.exceededCpu);
      guest.dispose();
    });
  }

  it('counts no time in which others had the CPU', async (context) => {
    const { guest } = await load('for (let i = 0, sum = 0; i < 1e7; i++) sum += i % 7; return new Response("hi")');
    const spin = 'console.log("spinning"); const end = Date.now() + 10_000; while (Date.now() < end);';
    const spinners = Array.from({ length: availableParallelism() }, () =>
      spawn(process.execPath, ['-e', spin], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    try {
      await Promise.all(spinners.map(({ stdout }) => once(stdout, 'data')));
      const excessUs: number[] = [];
      for (let id = 1; id <= 8; id++) {
        const [startedAt, usage] = [performance.now(), process.cpuUsage()];
        if (id % 2 === 0) guest.enter(1e6, request(id));
        else await guest.enterPooled('unknown', 1e6, request(id));
        const { user, system } = process.cpuUsage(usage);
        const wallUs = (performance.now() - startedAt) * 1e3;
        context.diagnostic(`${Math.round(guest.entryCpuUs)} µs of CPU in ${Math.round(wallUs)} µs`);
        excessUs.push(guest.entryCpuUs - user - system);
      }
      // What the watchdog has not seen of an entry is taken for used, and it waits for a CPU like everybody.
      const usualUs = excessUs.toSorted((a, b) => a - b)[excessUs.length / 2]!;
      assert.ok(usualUs < 5_000, `${excessUs.join()} µs`);
    } finally {
      for (const spinner of spinners) spinner.kill('SIGKILL');
      guest.dispose();
    }
  });

  for (const place of ['inline', 'pooled'] as const) {
    it(`ends an endless loop ${place} at its CPU budget, whatever V8 made of the loop`, async (context) => {
      for (const loop of [
        'for (;;);',
        'for (;;) globalThis.g = new Array(1000);',
        'for (;;) try { throw 1 } catch {}',
      ]) {
        const { guest } = await load(loop);
        const enter = () =>
          place === 'inline' ? guest.enter(BUDGET_US, request(1)) : guest.enterPooled('unknown', BUDGET_US, request(1));
        assert.equal(await enter(), ENTRY.exceededCpu);
        assert.equal(guest.disposed, true);
        assert.ok(guest.entryCpuUs >= BUDGET_US * 0.9, `${guest.entryCpuUs} µs`);
        context.diagnostic(`${loop} ended after ${Math.round(guest.entryCpuUs)} µs of CPU`);
        assert.equal(guest.enter(BUDGET_US, request(2)), ENTRY.disposed);
      }
    });
  }

  it('serves inline while others spin on the pool, and hits none but them', async () => {
    const spinners = await Promise.all(Array.from({ length: 6 }, () => load('for (;;);')));
    const { guest: quiet, answers } = await load('return new Response("quiet")');
    const spinning = spinners.map(({ guest }) => guest.enterPooled('long', BUDGET_US, request(1)));
    const state = { ended: false };
    const allEnded = Promise.all(spinning).finally(() => (state.ended = true));
    let served = 0;
    while (!state.ended) {
      assert.equal(quiet.enter(BUDGET_US, request(++served)), ENTRY.ok);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(new Set(await allEnded), new Set([ENTRY.exceededCpu]));
    assert.equal(answers.length, served);
    quiet.dispose();
  });

  it('keeps every other isolate through many kills', async () => {
    const { guest: survivor } = await load('return new Response("alive")');
    for (let round = 1; round <= 30; round++) {
      const { guest: victim } = await load('for (;;);', { inline: true });
      assert.equal(victim.enter(1_000, request(1)), ENTRY.exceededCpu);
      assert.equal(survivor.enter(BUDGET_US, request(round)), ENTRY.ok);
    }
    survivor.dispose();
  });

  it('reports an unhandled rejection as `threw`, and the isolate goes on', async () => {
    const { guest } = await load('Promise.reject(new Error("nobody listens")); return new Response("ok")');
    assert.equal(guest.enter(BUDGET_US, request(1)), ENTRY.threw);
    assert.match(guest.lastError, /nobody listens/);
    assert.equal(guest.disposed, false);
    guest.dispose();
  });

  for (const [what, source, message] of [
    ['does not compile', 'let x = ;', /^Uncaught SyntaxError: Unexpected token ';'\n {2}at index\.js:1:9$/],
    ['throws', 'null.x', /^Uncaught TypeError: Cannot read properties of null .*\n {2}at index\.js:1:6$/],
    ['rejects at top level', 'await 1; throw new Error("late")', /^Uncaught Error: late\n {2}at index\.js:1:16$/],
    ['never settles', 'await new Promise(() => {}); export default { fetch() {} }', /top-level await|never|default/i],
    [
      'imports what is not there',
      'import "./nope.js"',
      /No such module "\.\/nope\.js"\.\n {2}imported from "index\.js"/,
    ],
    ['runs too long', 'for (;;);', /^Script startup exceeded CPU time limit/],
    ['uses too much memory', 'const a = []; for (;;) a.push(new Array(1e4).fill({}))', /memory limit|CPU time limit/],
    ['has no handlers', 'export const x = 1', /default|handler/],
  ] as const) {
    it(`refuses code that ${what}, with a message for its author`, async () => {
      const guest = engine.acquire(DEFAULT_LIMITS.memoryMiB, 'plain');
      await assert.rejects(
        guest.load(toCode(source), ATTACH, { inline: false, budgetUs: STARTUP_US, cache: engine.cache }),
        {
          name: 'LoadError',
          message,
        },
      );
      assert.equal(guest.disposed, true);
    });
  }
});
