import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ENTER } from '../guest/abi.ts';
import { buildGuest, WARMUP } from '../guest/index.ts';
import type { VersionId } from '../ids.ts';
import { DEFAULT_LIMITS, STARTUP_CPU_MS } from '../limits.ts';
import type { VersionCode } from '../model.ts';
import { ENTRY, Engine, type GuestIsolate } from './index.ts';

const ATTACH = { bindings: [], compatibilityDate: '2026-01-01', compatibilityFlags: [], subrequests: 50 };
const BUDGET_US = 30_000_000;
const INTERVAL_US = 200;

/** Sorts for a while, in a function of its own, and does little in another. */
const SORTER = `function sorts() {
  const numbers = [];
  for (let i = 0; i < 20_000; i++) numbers.push(Math.sin(i * 7));
  return numbers.sort().length;
}
function idles() { return 1 }
export default { fetch(request) {
  if (request.url.endsWith('/spin')) for (;;) sorts();
  if (request.url.endsWith('/late')) { Promise.resolve().then(() => { for (;;); }); for (;;) sorts(); }
  if (request.url.endsWith('/microtasks')) { (function again() { sorts(); Promise.resolve().then(again); })(); return }
  idles();
  return new Response(String(sorts()));
} };`;

interface Profile {
  readonly nodes: readonly { readonly callFrame: { functionName: string; url: string }; readonly hitCount: number }[];
  readonly samples: readonly number[];
}

describe('A CPU profile of an isolate', () => {
  let engine: Engine;
  before(async () => {
    const { source, parts, assets } = await buildGuest();
    engine = await Engine.start({
      guest: { source, parts, assets, warmup: WARMUP },
      spares: 0,
      onStuck: 'ignore',
      onCatastrophe: (message) => assert.fail(message),
      now: Date.now,
    });
  });
  after(() => engine.close());

  async function load(): Promise<GuestIsolate> {
    const guest = engine.acquireForProfile(DEFAULT_LIMITS.memoryMiB);
    guest.handler = { host: () => {}, hostSync: () => undefined };
    const spec = { id: 'v1' as VersionId, mainModule: 'index.js', limits: DEFAULT_LIMITS } as VersionCode['spec'];
    const code: VersionCode = {
      spec,
      modules: [{ name: 'index.js', kind: 'esm', content: Buffer.from(SORTER) }],
    };
    await guest.load(code, ATTACH, { inline: true, budgetUs: STARTUP_CPU_MS * 1e3, cache: engine.cache });
    return guest;
  }
  const enter = (guest: GuestIsolate, id: number, path: string, budgetUs = BUDGET_US) =>
    guest.enter(budgetUs, [ENTER.fetch, id, `GET\nhttp://a/${path}`, undefined, 0]);
  const hitsOf = ({ nodes }: Profile, name: string): number =>
    nodes.filter(({ callFrame }) => callFrame.functionName === name).reduce((sum, { hitCount }) => sum + hitCount, 0);

  it('shows where the time goes', async () => {
    const guest = await load();
    guest.startProfile(INTERVAL_US);
    assert.ok(guest.isProfiled);
    for (let id = 1; id <= 20; id++) assert.equal(enter(guest, id, ''), ENTRY.ok);
    const profile = JSON.parse(await guest.stopProfile()) as Profile;
    const sorting = hitsOf(profile, 'sorts');
    assert.ok(sorting > profile.samples.length / 2, `${sorting} of ${profile.samples.length} samples`);
    assert.ok(hitsOf(profile, 'idles') < sorting / 10);
    assert.match(
      profile.nodes.find(({ callFrame }) => callFrame.functionName === 'sorts')!.callFrame.url,
      /index\.js$/,
    );
    guest.dispose();
  });

  for (const path of ['spin', 'microtasks', 'late']) {
    it(`is there of one that passes its CPU limit (${path})`, async () => {
      const guest = await load();
      guest.startProfile(INTERVAL_US);
      assert.equal(enter(guest, 1, path, 50_000), ENTRY.exceededCpu);
      assert.ok(guest.entryCpuUs <= 50_000); // what it used beyond was our doing
      assert.ok(guest.disposed);
      const profile = JSON.parse(await guest.stopProfile()) as Profile;
      assert.ok(hitsOf(profile, 'sorts') > 50);
      assert.equal(enter(guest, 2, ''), ENTRY.disposed);
    });
  }

  it('is of one isolate, and leaves others alone', async () => {
    const [one, other] = [await load(), await load()];
    one.startProfile(INTERVAL_US);
    for (let id = 1; id <= 5; id++) assert.equal(enter(other, id, ''), ENTRY.ok);
    const profile = JSON.parse(await one.stopProfile()) as Profile;
    assert.equal(hitsOf(profile, 'sorts'), 0);
    one.dispose();
    other.dispose();
  });
});
