/** Exports to a local stand-in for Stripe, which knows identifiers again as Stripe does, and fails as it is told to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { AccountId, WorkerName } from '../../ids.ts';
import type { Exports, Ledger } from '../../store/index.ts';
import { openInlineLedger, openSqliteExports } from '../../store/sqlite/index.ts';
import { createTotals, type UsageTotals } from '../index.ts';
import { StripeExporter } from './stripe-exporter.ts';
import { UsageExport, type UsageExportDeps } from './usage-export.ts';

const KEY = 'rk_test_secret_canary';
const HOUR_MS = 3_600_000;
const NOVEMBER = Date.UTC(2026, 10, 20, 12);
const ACME = { account: 'acme' as AccountId, customer: 'cus_acme', billsStarts: async () => false };

/** What to do with a request: after it was taken (`lost`), or instead. */
type Fault = 'lost' | 'failed' | 'limited' | 'refused' | 'unauthorized';

class StripeStandIn {
  readonly server: Server = createServer((request, response) => void this.#answer(request, response));
  readonly events: Record<string, string>[] = [];
  readonly faults: (Fault | undefined)[] = [];
  requests = 0;

  sum(meter: string, customer = 'cus_acme'): number {
    return this.events
      .filter((event) => event['event_name'] === `isola_${meter}` && event['payload[stripe_customer_id]'] === customer)
      .reduce((sum, event) => sum + Number(event['payload[value]']), 0);
  }

  clear(): void {
    this.events.length = 0;
    this.faults.length = 0;
    this.requests = 0;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    this.requests += 1;
    const fault = this.faults.shift();
    const fail = (status: number, error: object): void =>
      void response.writeHead(status).end(JSON.stringify({ error }));
    if (request.url !== '/v1/billing/meter_events' || request.headers.authorization !== `Bearer ${KEY}`) {
      fail(401, { message: `Invalid API Key provided: ${request.headers.authorization}` });
    } else if (fault === 'failed') fail(500, { message: 'oops' });
    else if (fault === 'limited') fail(429, { code: 'rate_limit', message: 'slow down' });
    else if (fault === 'unauthorized') fail(401, { message: `Invalid API Key provided: ${KEY}` });
    else if (fault === 'refused') fail(400, { code: 'resource_missing', message: 'No such customer' });
    else {
      const event = Object.fromEntries(new URLSearchParams(body));
      if (this.events.some(({ identifier }) => identifier === event['identifier'])) {
        fail(400, { message: `An event already exists with identifier ${event['identifier']}.` });
        return;
      }
      this.events.push(event);
      if (fault === 'lost') request.socket.destroy();
      else response.end('{"object":"billing.meter_event"}');
    }
  }
}

describe('UsageExport', () => {
  const stripe = new StripeStandIn();
  const dir = mkdtempSync(join(tmpdir(), 'isola-export-'));
  let files = 0;
  let url = '';
  let now = NOVEMBER;
  let warnings: string[] = [];
  let identifiers = 0;

  before(async () => {
    stripe.server.listen(0, '127.0.0.1');
    await once(stripe.server, 'listening');
    url = `http://127.0.0.1:${(stripe.server.address() as AddressInfo).port}`;
  });
  after(() => {
    stripe.server.close();
    stripe.server.closeAllConnections();
    rmSync(dir, { recursive: true, force: true });
  });
  beforeEach(() => {
    stripe.clear();
    now = NOVEMBER;
    warnings = [];
  });

  const open = (
    ledger: Ledger,
    exports: Exports = openSqliteExports(join(dir, `${++files}.sqlite`)),
    changes: Partial<UsageExportDeps> = {},
  ): UsageExport =>
    new UsageExport({
      ledger,
      exports,
      exporter: new StripeExporter({ key: KEY, url }),
      accounts: [ACME],
      intervalMs: 1,
      onWarning: (message) => warnings.push(message),
      now: () => now,
      random: () => 1,
      randomUUID: () => `id-${++identifiers}`,
      sleep: async () => {},
      ...changes,
    });

  it('tells what was added, with the customer, the time and an identifier of its own', async () => {
    const ledger = openInlineLedger();
    await use(ledger, NOVEMBER, { requests: 10, cpuUs: 5_999, startCpuUs: 1_000_000 });
    const exporting = open(ledger);
    await exporting.round();
    await exporting.round();
    assert.deepEqual(
      stripe.events.map(({ identifier: _identifier, ...event }) => event),
      [
        { name: 'requests', value: '10' },
        { name: 'cpu_ms', value: '5' },
      ].map(({ name, value }) => ({
        event_name: `isola_${name}`,
        timestamp: String(NOVEMBER / 1_000),
        'payload[stripe_customer_id]': 'cus_acme',
        'payload[value]': value,
      })),
    );
    await use(ledger, NOVEMBER, { requests: 1, cpuUs: 1 });
    await exporting.round();
    // 5.999 ms and 0.001 ms are 6 ms: what is below a millisecond is not lost.
    assert.deepEqual([stripe.sum('requests'), stripe.sum('cpu_ms'), stripe.events.length], [11, 6, 4]);
    assert.equal(new Set(stripe.events.map(({ identifier }) => identifier)).size, 4);
  });

  it('tells usage that came late in the month in which it was', async () => {
    const ledger = openInlineLedger();
    const exporting = open(ledger);
    await use(ledger, NOVEMBER, { requests: 1 });
    await exporting.round();
    now = Date.UTC(2026, 11, 2);
    await use(ledger, NOVEMBER, { requests: 4 });
    await use(ledger, now, { requests: 2 });
    await exporting.round();
    const [, late, fresh] = stripe.events;
    assert.deepEqual([late?.['payload[value]'], fresh?.['payload[value]']], ['4', '2']);
    assert.equal(late?.['timestamp'], String(Date.UTC(2026, 11, 1) / 1_000 - 1));
    assert.equal(fresh?.['timestamp'], String(now / 1_000));
  });

  it('sends again under the same identifier, after a restart too, when the answer was lost', async () => {
    const ledger = openInlineLedger();
    await use(ledger, NOVEMBER, { requests: 10 });
    const path = join(dir, `${++files}.sqlite`);
    const before = openSqliteExports(path);
    stripe.faults.push('lost');
    await assert.rejects(open(ledger, before).round(), /acme, 2026-11, requests: no answer/);
    await before.close();
    await use(ledger, NOVEMBER, { requests: 5 });
    await open(ledger, openSqliteExports(path)).round();
    assert.equal(stripe.sum('requests'), 15);
    assert.equal(stripe.requests, 3); // lost, again (a duplicate), and the rest
  });

  it('does not send again what may have been taken, once Stripe has forgotten identifiers, and warns', async () => {
    const ledger = openInlineLedger();
    await use(ledger, NOVEMBER, { requests: 10 });
    const exporting = open(ledger);
    stripe.faults.push('lost');
    await assert.rejects(exporting.round());
    now += 24 * HOUR_MS;
    await exporting.round();
    assert.equal(stripe.sum('requests'), 10);
    assert.match(warnings.join('\n'), /acme, 2026-11, requests: 10 may or may not have been taken \(identifier id-/);
  });

  it('tells in the end what was not taken, whatever the time, and goes on to other accounts', async () => {
    const ledger = openInlineLedger();
    await use(ledger, NOVEMBER, { requests: 10 });
    await use(ledger, NOVEMBER, { requests: 3 }, 'other');
    const other = { account: 'other' as AccountId, customer: 'cus_other', billsStarts: async () => true };
    const exporting = open(ledger, undefined, { accounts: [ACME, other] });
    stripe.faults.push('refused');
    await exporting.round();
    assert.deepEqual([stripe.sum('requests'), stripe.sum('requests', 'cus_other')], [0, 3]);
    assert.match(warnings.join(), /acme, 2026-11, requests was refused: 400 "resource_missing": "No such customer"/);
    now += 48 * HOUR_MS;
    await exporting.round();
    assert.equal(stripe.sum('requests'), 10);
  });

  it('waits longer each time that Stripe is not there, and starts anew once it is', async () => {
    const ledger = openInlineLedger();
    await use(ledger, NOVEMBER, { requests: 10 });
    stripe.faults.push('failed', 'limited', 'unauthorized', 'failed');
    const waits: number[] = [];
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const exporting = open(ledger, undefined, {
      intervalMs: 77,
      sleep: async (ms, signal) => {
        waits.push(ms);
        if (waits.length < 6) return;
        resolve();
        await once(signal, 'abort');
      },
    });
    exporting.start();
    await enough;
    await exporting.close();
    assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 77, 77]);
    assert.equal(stripe.sum('requests'), 10);
  });

  it('never shows the key', async () => {
    const ledger = openInlineLedger();
    await use(ledger, NOVEMBER, { requests: 10 });
    stripe.faults.push('unauthorized');
    await assert.rejects(open(ledger).round(), (error: Error) => {
      assert.match(error.message, /401: "Invalid API Key provided: /);
      return !error.message.includes(KEY);
    });
  });

  it('tells each unit once, whatever goes wrong in between', async () => {
    const fault = fc.constantFrom<Fault | undefined>(undefined, 'lost', 'failed', 'limited', 'refused', 'unauthorized');
    const step = fc.record({ requests: fc.nat(50), cpuUs: fc.nat(5_000), faults: fc.array(fault, { maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        stripe.clear();
        const ledger = openInlineLedger();
        const path = join(dir, `${++files}.sqlite`);
        let requests = 0;
        let cpuUs = 0;
        for (const { faults, ...used } of [...steps, { requests: 0, cpuUs: 0, faults: [] }]) {
          requests += used.requests;
          cpuUs += used.cpuUs;
          stripe.faults.splice(0, Infinity, ...faults);
          // oxlint-disable no-await-in-loop -- a restart between any two rounds
          await use(ledger, NOVEMBER, used);
          const exports = openSqliteExports(path);
          await open(ledger, exports)
            .round()
            .catch(() => {});
          await exports.close();
          // oxlint-enable no-await-in-loop
        }
        assert.deepEqual([stripe.sum('requests'), stripe.sum('cpu_ms')], [requests, Math.floor(cpuUs / 1_000)]);
      }),
      { numRuns: 10 },
    );
  });
});

let batches = 0;

async function use(ledger: Ledger, at: number, used: Partial<UsageTotals>, account = 'acme'): Promise<void> {
  const totals = { ...createTotals(), ...used };
  const who = { account: account as AccountId, worker: 'w' as WorkerName, outcome: 'ok', event: 'fetch' } as const;
  const minute = Math.floor(at / 60_000);
  await ledger.take({ cell: `cell ${++batches}`, number: 1, minute, entries: [{ ...who, totals }] });
}
