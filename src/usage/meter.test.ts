import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseWireRow, toWireRow } from './batch.ts';
import { Meter } from './meter.ts';
import { makeRecord, OWNER, VERSION } from './testing.ts';
import { CPU_BUCKETS_US, createTotals, WALL_BUCKETS_MS } from './totals.ts';

describe('Meter', () => {
  it('end() adds up by version, event and outcome; cut() begins anew', () => {
    const meter = new Meter();
    meter.end(makeRecord(), undefined);
    meter.end(makeRecord({ cpuUs: 5, wallMs: 0.1 }), undefined);
    meter.end(makeRecord({ outcome: 'exception', wallMs: 101 }), undefined);
    const rows = meter.cut();
    assert.deepEqual(
      rows.map(({ version, event, outcome }) => [version, event, outcome]),
      [
        [VERSION, 'fetch', 'ok'],
        [VERSION, 'fetch', 'exception'],
      ],
    );
    assert.deepEqual(rows[0]?.totals, {
      ...createTotals(),
      requests: 2,
      cpuUs: 125,
      wallUs: 2_600,
      wallMs1: 4,
      wallMs100: 200,
      bytesIn: 6,
      bytesOut: 10,
      subrequests: 2,
    });
    assert.deepEqual([rows[1]?.totals.errors, rows[1]?.totals.wallMs100], [1, 200]);
    assert.deepEqual(meter.cut(), []);
    meter.end(makeRecord(), undefined);
    assert.equal(meter.cut()[0]?.totals.requests, 1);
  });

  it('running() counts ahead what end() then does not count again', () => {
    const meter = new Meter();
    const first = meter.running(makeRecord({ cpuUs: 100, wallMs: 10, bytesOut: 1 }), undefined);
    const [row] = meter.cut();
    assert.deepEqual([row?.outcome, row?.totals.requests, row?.totals.cpuUs], ['running', 0, 100]);
    const second = meter.running(makeRecord({ cpuUs: 250, wallMs: 20, bytesOut: 4 }), first);
    meter.end(makeRecord({ cpuUs: 300, wallMs: 30, bytesOut: 5 }), second);
    const [running, ended] = meter.cut();
    assert.deepEqual([running?.totals.cpuUs, running?.totals.bytesOut], [150, 3]);
    assert.deepEqual(
      [ended?.totals.requests, ended?.totals.cpuUs, ended?.totals.wallUs, ended?.totals.bytesOut],
      [1, 50, 10_000, 1],
    );
    assert.equal(ended?.totals.wallMs100, 100); // of the whole
    assert.equal(ended?.cpuBuckets[CPU_BUCKETS_US.indexOf(500)], 1);
    assert.equal(ended?.wallBuckets[WALL_BUCKETS_MS.indexOf(50)], 1);
  });

  it('bills no request for a call through a service binding, and starts apart', () => {
    const meter = new Meter();
    meter.end(makeRecord({ service: true }), undefined);
    meter.start({
      event: 'start',
      ...OWNER,
      version: VERSION,
      outcome: 'ok',
      cpuUs: 900,
      wallMs: 3,
      at: 0,
      memoryBytes: 1,
      cold: true,
    });
    const [service, start] = meter.cut();
    assert.deepEqual(service?.totals, {
      ...createTotals(),
      serviceCalls: 1,
      cpuUs: 120,
      wallUs: 2_500,
      wallMs1: 3,
      wallMs100: 100,
      subrequests: 1,
    });
    assert.deepEqual([start?.event, start?.totals], ['start', { ...createTotals(), startCpuUs: 900, coldStarts: 1 }]);
  });

  it('gives rows to the wire that read the same', () => {
    const meter = new Meter();
    meter.end(makeRecord(), undefined);
    const [row] = meter.cut();
    assert.deepEqual(parseWireRow(JSON.parse(JSON.stringify(toWireRow(row!)))), row);
    const [version, ...rest] = toWireRow(row!);
    for (const bad of [
      null,
      [],
      {},
      [version],
      [1, ...rest],
      [version, 9, ...rest.slice(1)],
      [version, 0, 0, -1, ...rest.slice(3)],
      [version, 0, 0, 1.5, ...rest.slice(3)],
      [version, 0, 0, '1', ...rest.slice(3)],
      [version, 0, 0, 2 ** 60, ...rest.slice(3)],
    ]) {
      assert.equal(parseWireRow(bad), undefined, JSON.stringify(bad));
    }
  });
});
