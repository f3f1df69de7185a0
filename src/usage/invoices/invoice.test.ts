import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { type InvoiceCost, toInvoice } from './invoice.ts';
import { toPdf } from './pdf.ts';

const COST: InvoiceCost = {
  account_id: 'acme',
  month: '2026-11',
  since: '2026-11-01T00:00:00.000Z',
  until: '2026-12-01T00:00:00.000Z',
  final: true,
  plan: 'standard',
  plan_title: 'Standard',
  currency: 'USD',
  lines: [
    {
      item: 'requests',
      unit: 'requests',
      quantity: '12000000',
      included: '0',
      unit_price: '0.30',
      per: 1_000_000,
      amount: '3.60',
      amount_minor: 360,
    },
    {
      item: 'cpu_ms',
      unit: 'CPU-ms',
      quantity: '600000000.125',
      included: '1000000',
      unit_price: '0.02',
      per: 1_000_000,
      amount: '11.98',
      amount_minor: 1_198,
    },
  ],
  total: '15.58',
  total_minor: 1_558,
  workers: [{ worker: 'shop', requests: 12_000_000, cpu_us: 600_000_000_125, start_cpu_us: 5, wall_us: 9 }],
};
const PARTIES = {
  issuer: 'Ünïcode GmbH, 漢字 1',
  customer: 'Acme Ltd\n2 Street',
  issuedAt: new Date(1_780_000_000_000),
};

describe('toInvoice()', () => {
  it('has one number for an account and month', () => {
    assert.equal(toInvoice(COST, PARTIES).number, 'acme-2026-11');
  });

  it('refuses to make one whose lines do not add up', () => {
    assert.throws(() => toInvoice({ ...COST, total_minor: 1_559 }, PARTIES), /are 1558, not 1559/);
  });
});

describe('toPdf()', () => {
  it('shows who, when, what and how much', async () => {
    const text = textOf(await toPdf(toInvoice(COST, PARTIES)));
    for (const part of [
      'Invoice acme-2026-11',
      'Period: 2026-11-01 to 2026-11-30 (UTC)',
      'From: Ünïcode GmbH, ?? 1',
      'To: Acme Ltd 2 Street',
      'Plan: Standard',
      'Requests|12,000,000|0|0.30 / 1,000,000|3.60',
      'CPU time (ms)|600,000,000.125|1,000,000|0.02 / 1,000,000|11.98',
      'Total|',
      '15.58 USD',
      'shop|12,000,000|600,000,000.125',
    ]) {
      assert.ok(text.includes(part), `${part} in ${text}`);
    }
  });

  it('says so when the month is not over', async () => {
    assert.match(textOf(await toPdf(toInvoice({ ...COST, final: false }, PARTIES))), /^Preliminary invoice acme/);
  });

  it('makes the same bytes of the same invoice', async () => {
    const invoice = toInvoice(COST, PARTIES);
    assert.ok((await toPdf(invoice)).equals(await toPdf(invoice)));
  });

  it('goes on on further pages', async () => {
    const [shop] = COST.workers;
    const workers = Array.from({ length: 300 }, (_, index) => ({ ...shop!, worker: `worker-${index}` }));
    const pdf = await toPdf(toInvoice({ ...COST, workers }, PARTIES));
    const pages = pdf.toString('latin1').match(/\/Type \/Page\b/g);
    assert.ok(pages !== null && pages.length >= 5 && pages.length <= 12, `${pages?.length} pages`);
    const text = textOf(pdf);
    for (const { worker } of workers) assert.ok(text.includes(`${worker}|`), worker);
  });
});

/** The text of all pages: pieces that are written one by one are parted by `|`. */
function textOf(pdf: Buffer): string {
  const file = pdf.toString('latin1');
  const pieces: string[] = [];
  for (const { index, 0: start } of file.matchAll(/(?<!end)stream\n/g)) {
    const body = pdf.subarray(index + start.length, file.indexOf('\nendstream', index));
    const content = inflateSync(body).toString('latin1');
    for (const [, shown = ''] of content.matchAll(/\[([^\]]*)\] TJ/g)) {
      const hex = [...shown.matchAll(/<([\da-f]*)>/g)].map(([, digits]) => digits).join('');
      pieces.push(Buffer.from(hex, 'hex').toString('latin1'));
    }
  }
  return pieces.join('|');
}
