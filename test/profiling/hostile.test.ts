/** Workers that are profiled and do what they can against it: their own cell goes on or ends, and nothing else notices. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keepAsking } from '../helpers/keep-asking.ts';
import { startTestPlatform, type TestPlatform } from '../helpers/platform.ts';
import { toUploadForm } from '../helpers/quick-deploy.ts';

/** Nothing in the process can end it: some seconds, on any machine. */
const UNSTOPPABLE = 'globalThis.text = (1n << 60_000_000n).toString();';

/** What `/attack` does. `/count` counts, in every Worker. */
const ATTACKS = {
  'a module that does not end its start': "await import('./spin.js');",
  'microtasks that are left when an entry is ended': `Promise.resolve().then(() => { ${UNSTOPPABLE} }); for (;;);`,
};

const LONG_NAMES = `
const [named] = Object.values({ '\\u001b[31m<script>\\0${'x'.repeat(1_000_000)}'() {
  let sum = 0;
  for (let i = 0; i < 2e5; i++) sum += Math.sin(i);
  return sum;
} });
export default { fetch: () => new Response(String(named())) };
//# sourceURL=https://elsewhere.example/\u001b[31m.js`;

describe('A Worker that is profiled', () => {
  let platform: TestPlatform;
  before(async () => {
    platform = await startTestPlatform(['--cells', '1']);
    await deploy('neighbour', 'export default { fetch: () => new Response("here") }');
  });
  after(() => platform.stop());

  async function deploy(name: string, code: string): Promise<void> {
    const form = toUploadForm(code);
    form.set('spin.js', new File(['for (;;);'], 'spin.js', { type: 'application/javascript+module' }));
    const path = `/accounts/${platform.account}/workers/scripts/${name}`;
    const response = await platform.control(path, { method: 'PUT', body: form });
    assert.equal(response.status, 200, await response.text());
  }

  interface Taken {
    readonly status: number;
    readonly code: number | undefined;
    readonly names: readonly string[];
  }

  async function take(worker: string): Promise<Taken> {
    const path = `/accounts/main/workers/scripts/${worker}/isola/profile?seconds=1`;
    const response = await platform.control(path, { method: 'POST' });
    const { errors, result } = (await response.json()) as {
      errors: { code: number }[];
      result: { profile: { nodes: { callFrame: { functionName: string } }[] } } | null;
    };
    const names = result?.profile.nodes.map(({ callFrame }) => callFrame.functionName) ?? [];
    return { status: response.status, code: errors[0]?.code, names };
  }

  for (const [index, [what, code]] of Object.entries(ATTACKS).entries()) {
    it(`loses nothing but its profile by ${what}`, async () => {
      const name = `attacker-${index}`;
      await deploy(
        name,
        `let count = 0;
        export default { async fetch(request) {
          if (new URL(request.url).pathname === '/count') return new Response(String(++count));
          ${code}
          return new Response('');
        } };`,
      );
      const count = async (): Promise<number> => Number((await platform.request(name, '/count')).text);
      assert.deepEqual([await count(), await count()], [1, 2]);
      const taking = take(name);
      const cell = JSON.parse(await platform.line(/"event":"cell-ready".*"cordon":"f\.main"/)) as { id: string };
      const ended = platform.line(new RegExp(`"event":"cell-exit","id":"${cell.id}"`));
      let counted = 2;
      let next = await count();
      for (; next !== 1; next = await count()) counted = next; // until it is another instance, in that cell
      const attacking = platform.request(name, '/attack');
      const statuses = await keepAsking(taking, async () => (await platform.request('neighbour', '/')).status);
      assert.ok(statuses.every((status) => status === 200));
      const { status, code: error } = await taking;
      assert.deepEqual([status, error], [503, 10_366]);
      assert.ok((await attacking).status >= 500);
      await ended;
      // Back in its old cell, in the instance from before.
      assert.equal(await count(), counted + 1);
      assert.ok(!platform.output.some((line) => line.includes('"event":"quarantine"')));
    });
  }

  it('may have names of a megabyte, and terminal codes in them', async () => {
    await deploy('named', LONG_NAMES);
    const taking = take('named');
    const statuses = await keepAsking(taking, async () => (await platform.request('named', '/')).status);
    const { status, names } = await taking;
    assert.deepEqual([status, ...new Set(statuses)], [200, 200]);
    const found = names.filter((name) => name.includes('<script>'));
    assert.ok(found.length > 0 && found.every((name) => name.length <= 500));
  });
});
