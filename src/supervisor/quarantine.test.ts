import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { AccountId, WorkerName } from '../ids.ts';
import { Quarantine } from './quarantine.ts';

const HOUR_MS = 3_600_000;
const WORKER = { account: 'acme' as AccountId, worker: 'bad' as WorkerName };

describe('Quarantine', () => {
  const inFolder = (test: (path: string) => void) => () => {
    const folder = mkdtempSync(join(tmpdir(), 'isola-quarantine-'));
    try {
      test(join(folder, 'quarantine.json'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  it(
    'keeps a Worker for an hour, twice as long the next time, and as at first when it behaved for a week',
    inFolder((path) => {
      let now = 0;
      let changes = 0;
      const quarantine = new Quarantine({ path, now: () => now, onChange: () => changes++ });
      assert.equal(quarantine.has(WORKER), false);
      assert.equal(quarantine.strike(WORKER), HOUR_MS);
      assert.equal(quarantine.has(WORKER), true);
      assert.equal(quarantine.has({ ...WORKER, worker: 'good' as WorkerName }), false);
      now = HOUR_MS;
      assert.equal(quarantine.has(WORKER), false);
      assert.equal(quarantine.strike(WORKER), now + 2 * HOUR_MS);
      assert.equal(quarantine.strike(WORKER), now + 4 * HOUR_MS);
      for (let i = 0; i < 20; i++) quarantine.strike(WORKER);
      assert.equal(quarantine.strike(WORKER), now + 128 * HOUR_MS);
      assert.equal(changes, 24);
      quarantine.close();
    }),
  );

  it(
    'lets nobody out by a restart',
    inFolder((path) => {
      const first = new Quarantine({ path, now: () => 0, onChange: () => {} });
      first.strike(WORKER);
      first.close();
      const second = new Quarantine({ path, now: () => HOUR_MS - 1, onChange: () => {} });
      assert.deepEqual([second.has(WORKER), second.hasAnyOf('acme'), second.hasAnyOf('other')], [true, true, false]);
      second.close();
      const third = new Quarantine({ path, now: () => HOUR_MS, onChange: () => {} });
      assert.equal(third.has(WORKER), false);
      third.close();
    }),
  );

  it(
    'does not begin with a file that it cannot read',
    inFolder((path) => {
      writeFileSync(path, '{');
      assert.throws(() => new Quarantine({ path, now: () => 0, onChange: () => {} }), /quarantine\.json/);
    }),
  );
});
