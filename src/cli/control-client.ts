/** The control API of a running server, for commands: where it is, which token opens it, and its answers as tables. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { toAsciiJson } from '../ascii-json.ts';
import { CommandError } from './command-error.ts';
import { printLine, toCell } from './terminal.ts';

/** Options of every command that talks to a running server. */
export const CONTROL_OPTIONS = {
  url: {
    type: 'string',
    value: 'URL',
    default: 'http://127.0.0.1:8788',
    pattern: /^https?:\/\/[^\s/]+\/?$/,
    allowed: 'an address such as http://127.0.0.1:8788',
    help: 'Control API of the server',
  },
  data: {
    type: 'string',
    value: 'DIR',
    default: '.isola',
    help: 'Data folder with the admin-token, unless ISOLA_ADMIN_TOKEN is set',
  },
  json: { type: 'boolean', help: 'Print JSON' },
} as const;

export interface ControlTarget {
  /** Base address of the control API's server, e.g. `http://127.0.0.1:8788`. */
  readonly controlUrl: string;
  readonly token: string;
}

export interface ControlCall {
  /** How the error message begins. */
  readonly attempt: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/client/v4/`, e.g. `accounts/main/workers/scripts`. */
  readonly path: string;
  readonly body?: FormData | object;
}

/** The server that the options of a command name. Throws CommandError when there is no token. */
export function toControlTarget({ url, data }: { readonly url: string; readonly data: string }): ControlTarget {
  const given = process.env['ISOLA_ADMIN_TOKEN'];
  if (given !== undefined && given !== '') return { controlUrl: url, token: given };
  const path = join(resolve(data), 'admin-token');
  try {
    return { controlUrl: url, token: readFileSync(path, 'utf8').trim() };
  } catch (error) {
    throw new CommandError(
      `Cannot read ${path}: name the server's data folder by --data, or set ISOLA_ADMIN_TOKEN to a token`,
      { cause: error },
    );
  }
}

/** One call. Resolves to the envelope's `result`; throws CommandError when it tells of a failure. */
export async function callControl(target: ControlTarget, call: ControlCall): Promise<unknown> {
  return (await askControl(target, call)).result;
}

/** The same, with the cursor of a list: '' when there are no more. */
export async function askControl(
  { controlUrl, token }: ControlTarget,
  { attempt, method, path, body }: ControlCall,
): Promise<{ result: unknown; cursor: string }> {
  const url = new URL(`/client/v4/${path}`, controlUrl);
  const headers = new Headers({ authorization: `Bearer ${token}` });
  if (body !== undefined && !(body instanceof FormData)) headers.set('content-type', 'application/json');
  const payload = body === undefined || body instanceof FormData ? body : JSON.stringify(body);
  const response = await fetch(url, { method, headers, ...(payload === undefined ? {} : { body: payload }) }).catch(
    (error: unknown) => {
      throw new CommandError(`${attempt}: nothing answers at ${url.origin}; is isola serve running?`, { cause: error });
    },
  );
  const text = await response.text();
  const envelope = parseEnvelope(text);
  if (envelope === undefined) {
    const start = toCell(text.slice(0, 200));
    throw new CommandError(`${attempt}: ${method} ${url.pathname} answered ${response.status}: ${start}`);
  }
  const { result, result_info: { cursor = '' } = {} } = envelope;
  if (envelope.success) return { result, cursor: typeof cursor === 'string' ? cursor : '' };
  const reasons = envelope.errors.map(({ code, message }) => `${toCell(message)} [code ${code}]`).join('; ');
  throw new CommandError(`${attempt}: ${reasons}`);
}

/** Rows as JSON, or as a table for people: by column, what a cell shows. */
export function printRows<Row>(
  rows: readonly Row[],
  { json, columns }: { json: boolean; columns: Readonly<Record<string, (row: Row) => string | undefined>> },
): void {
  if (json) {
    printLine(toAsciiJson(rows));
    return;
  }
  const shown = rows.map((row) => Object.values(columns).map((toText) => toCell(toText(row) ?? '–')));
  const table = [Object.keys(columns), ...shown];
  const widths = Object.keys(columns).map((_, index) => Math.max(...table.map((cells) => cells[index]!.length)));
  for (const cells of table)
    printLine(
      cells
        .map((cell, index) => cell.padEnd(widths[index]!))
        .join('  ')
        .trimEnd(),
    );
}

interface Envelope {
  readonly success: boolean;
  readonly result: unknown;
  readonly result_info?: { readonly cursor?: unknown } | undefined;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
}

function parseEnvelope(text: string): Envelope | undefined {
  try {
    const { success, result, errors, result_info } = JSON.parse(text) as Partial<Envelope>;
    return typeof success === 'boolean' ? { success, result, errors: errors ?? [], result_info } : undefined;
  } catch {
    return undefined;
  }
}
