import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRuntime } from '../index.ts';

const MEASURE_MS = 2_000; // how often a cell adds up its memory; the clock is mocked

it('a cell above its memory budget gives up idle instances, and only idle ones', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  await using runtime = await createRuntime({ memoryBudgetBytes: 1 });
  const modules = {
    'index.js': `
      let calls = 0;
      let finish;
      export default {
        async fetch(request) {
          calls++;
          if (request.url.endsWith('/wait')) await new Promise((resolve) => { finish = setTimeout(resolve, 1e6); globalThis.go = resolve; });
          if (request.url.endsWith('/go')) { clearTimeout(finish); globalThis.go(); }
          return new Response(String(calls));
        },
      };`,
  };
  await runtime.deploy('idle', { modules });
  await runtime.deploy('busy', { modules });
  const ask = async (name: string, path: string): Promise<string> =>
    (await runtime.fetch(name, new Request(`http://${name}${path}`))).text();

  assert.equal(await ask('idle', '/'), '1');
  assert.equal(await ask('idle', '/'), '2');
  const waiting = ask('busy', '/wait');
  assert.equal(await ask('busy', '/'), '2');
  // Records come a moment after responses; an invocation that has not ended keeps its instance.
  while (runtime.usage('idle').requests < 2) await new Promise((resolve) => setImmediate(resolve));
  t.mock.timers.tick(MEASURE_MS);
  assert.equal(await ask('idle', '/'), '1', 'a new instance, which counts from the beginning');
  assert.equal(await ask('busy', '/go'), '3');
  assert.equal(await waiting, '3');
});
