/** The invoice on paper: A4, as many pages as it takes. */
import type { Invoice } from './invoice.ts';
import { groupDigits, toPrintable } from './pdf-text.ts';

const MARGIN = 56; // points: 2 cm
const ROW_GAP = 6;
const MAX_PARTY_CHARS = 400;
const US_PER_MS = 1_000;

interface Column {
  readonly title: string;
  /** As a part of the width between the margins; all together 1. */
  readonly share: number;
  readonly align: 'left' | 'right';
}

const BILL: readonly Column[] = [
  { title: 'Item', share: 0.24, align: 'left' },
  { title: 'Quantity', share: 0.22, align: 'right' },
  { title: 'Included', share: 0.18, align: 'right' },
  { title: 'Unit price', share: 0.2, align: 'right' },
  { title: 'Amount', share: 0.16, align: 'right' },
];
const USAGE: readonly Column[] = [
  { title: 'Worker', share: 0.4, align: 'left' },
  { title: 'Requests', share: 0.3, align: 'right' },
  { title: 'CPU-ms', share: 0.3, align: 'right' },
];
const ITEMS: Readonly<Record<string, string>> = {
  requests: 'Requests',
  cpu_ms: 'CPU time (ms)',
  gb_seconds: 'Duration (GB-seconds)',
  minimum: 'Up to the minimum',
};

/** The same invoice makes the same bytes. */
export async function toPdf(invoice: Invoice): Promise<Buffer> {
  const { default: PDFDocument } = await import('pdfkit'); // it is large, and the platform itself never needs it
  const issued = new Date(invoice.issued_at);
  const title = `${invoice.final ? 'Invoice' : 'Preliminary invoice'} ${toPrintable(invoice.number)}`;
  const document = new PDFDocument({
    size: 'A4',
    margin: MARGIN,
    info: { Title: title, CreationDate: issued, ModDate: issued },
  });
  const chunks: Buffer[] = [];
  document.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<void>((resolve, reject) => {
    document.on('end', resolve);
    document.on('error', reject);
  });
  writeHead(document, invoice, title);
  writeTable(document, BILL, invoice.lines.map(toBillRow));
  const total = ['Total', '', '', '', `${groupDigits(invoice.total)} ${invoice.currency}`];
  writeRow(document, BILL, total, 'Helvetica-Bold');
  if (invoice.workers.length > 0) {
    document.moveDown(2).font('Helvetica-Bold').fontSize(11).text('Usage by Worker', MARGIN).moveDown(0.5);
    const rows = invoice.workers.map(({ worker, requests, cpu_us }) => [
      worker,
      groupDigits(String(requests)),
      groupDigits((cpu_us / US_PER_MS).toFixed(3)),
    ]);
    writeTable(document, USAGE, rows);
  }
  document.end();
  await ended;
  return Buffer.concat(chunks);
}

function writeHead(document: PDFKit.PDFDocument, invoice: Invoice, title: string): void {
  const { since, until, issued_at, issuer, customer, plan_title, final } = invoice;
  document.font('Helvetica-Bold').fontSize(20).text(title).moveDown();
  document.font('Helvetica').fontSize(10);
  const facts = [
    ['Issued', issued_at.slice(0, 10)],
    ['Period', `${since.slice(0, 10)} to ${lastDay(until)} (UTC)`],
    ['From', issuer],
    ['To', customer],
    ['Plan', plan_title],
    ...(final ? [] : [['Note', 'The month is not over: amounts may still grow']]),
  ];
  for (const [name, value = ''] of facts) {
    if (value !== '') document.text(`${name}: ${toPrintable(value.slice(0, MAX_PARTY_CHARS))}`);
  }
  document.moveDown(2);
}

function lastDay(until: string): string {
  return new Date(Date.parse(until) - 1).toISOString().slice(0, 10);
}

function toBillRow({ item, quantity, included, unit_price, per, amount }: Invoice['lines'][number]): string[] {
  const name = ITEMS[item] ?? item;
  if (item === 'minimum') return [name, '', '', '', groupDigits(amount)];
  const unit = per === 1 ? '' : ` / ${groupDigits(String(per))}`;
  return [name, groupDigits(quantity), groupDigits(included), `${unit_price}${unit}`, groupDigits(amount)];
}

function writeTable(document: PDFKit.PDFDocument, columns: readonly Column[], rows: readonly string[][]): void {
  const titles = columns.map(({ title }) => title);
  writeRow(document, columns, titles, 'Helvetica-Bold');
  for (const cells of rows) writeRow(document, columns, cells, 'Helvetica');
}

function writeRow(
  document: PDFKit.PDFDocument,
  columns: readonly Column[],
  cells: readonly string[],
  font: 'Helvetica' | 'Helvetica-Bold',
): void {
  document.font(font).fontSize(9);
  const { width, height } = document.page;
  const usable = width - 2 * MARGIN;
  const texts = cells.map(toPrintable);
  const rowHeight = Math.max(
    ...texts.map((text, at) => document.heightOfString(text, { width: usable * (columns[at]?.share ?? 0) })),
  );
  if (document.y + rowHeight > height - MARGIN) document.addPage();
  const top = document.y;
  let left = MARGIN;
  for (const [at, { share, align }] of columns.entries()) {
    document.text(texts[at] ?? '', left, top, { width: usable * share, align });
    left += usable * share;
  }
  document.y = top + rowHeight + ROW_GAP;
  document.x = MARGIN;
}
