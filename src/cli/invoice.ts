/** `isola invoice`: a month of an account as PDF and JSON. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InvoiceCost, toInvoice, toPdf } from '../usage/invoices/index.ts';
import { toAsciiJson } from '../ascii-json.ts';
import { CommandError } from './command-error.ts';
import { callControl, CONTROL_OPTIONS, toControlTarget } from './control-client.ts';
import { defineCommand, UsageError } from './options.ts';
import { printLine, toCell } from './terminal.ts';

const FILE_NAME = /^[\w.-]{1,100}$/;

export const invoice = defineCommand({
  name: 'invoice',
  summary: 'Write the invoice of a month, as PDF and as JSON',
  positionals: '',
  options: {
    account: { type: 'string', value: 'ID', default: 'main', help: 'Who is to pay' },
    month: {
      type: 'string',
      value: 'YYYY-MM',
      pattern: /^\d{4}-(?:0[1-9]|1[0-2])$/,
      allowed: 'a month such as 2026-11',
      help: 'The month, in UTC; one that is not over makes a preliminary invoice',
    },
    out: { type: 'string', value: 'DIR', default: '.', help: 'Folder for the two files' },
    issuer: { type: 'string', value: 'TEXT', help: 'Whose invoice it is: name and address' },
    customer: { type: 'string', value: 'TEXT', defaultText: 'the account', help: 'Name and address of who is to pay' },
    ...CONTROL_OPTIONS,
  },
  examples: [
    { line: 'isola invoice --account acme --month 2026-11 --out invoices', does: 'invoices/invoice-acme-2026-11.pdf' },
  ],
  run: async ({ account, month, out, issuer = '', customer = account, json, ...where }) => {
    if (month === undefined) throw new UsageError('isola invoice needs a month: --month 2026-11');
    const found = await callControl(toControlTarget(where), {
      attempt: `Cannot read the cost of ${toCell(account)}`,
      method: 'GET',
      path: `accounts/${encodeURIComponent(account)}/isola/cost?month=${month}`,
    });
    const made = toInvoice(InvoiceCost.parse(found), { issuer, customer, issuedAt: new Date() });
    const files = write(out, made.number, { pdf: await toPdf(made), json: `${JSON.stringify(made, undefined, 2)}\n` });
    if (json) printLine(toAsciiJson({ ...files, total: made.total, currency: made.currency, final: made.final }));
    else printLine(`${made.total} ${made.currency}${made.final ? '' : ', until now'}: ${files.pdf} and ${files.json}`);
    return 0;
  },
});

function write(
  out: string,
  number: string,
  documents: { readonly pdf: Buffer; readonly json: string },
): { pdf: string; json: string } {
  if (!FILE_NAME.test(number)) throw new CommandError(`Cannot write an invoice of the number '${toCell(number)}'`);
  const dir = resolve(out);
  const files = { pdf: join(dir, `invoice-${number}.pdf`), json: join(dir, `invoice-${number}.json`) };
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(files.pdf, documents.pdf);
    writeFileSync(files.json, documents.json);
  } catch (error) {
    throw new CommandError(`Cannot write to ${dir}: ${(error as Error).message}`, { cause: error });
  }
  return files;
}
