/** The form that files come in: parts named by their hashes, base64, within bounds. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { PlatformError } from '../../errors.ts';
import { MAX_ASSET_BYTES } from '../../limits.ts';
import type { BodyHold } from '../body-budget.ts';

export const MAX_BUCKET_FILES = 500;
const MAX_PART_BYTES = Math.ceil(MAX_ASSET_BYTES / 3) * 4 + 1; // the parser takes fewer than its limit
const PART_HEAD_BYTES = 1_024;
const MAX_FORM_BYTES = MAX_PART_BYTES + MAX_BUCKET_FILES * PART_HEAD_BYTES;
const NO_TYPE = 'application/null'; // wrangler's, for a file that is to have none

/** A request that brings files. */
export interface AssetForm {
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable | undefined;
  readonly hold?: BodyHold | undefined;
}

export interface AssetPart {
  readonly hash: string;
  /** Null for none. */
  readonly type: string | null;
  readonly content: Uint8Array;
}

/** Throws `assetUploadInvalid` or `assetLimit`. */
export async function readAssetParts({ headers, body, hold }: AssetForm): Promise<AssetPart[]> {
  if (body === undefined) throw invalid('the request has no body');
  const parser = createParser(headers);
  const parts = collectParts(parser);
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    try {
      hold?.add(chunk.byteLength);
    } catch (error) {
      parser.destroy(error as Error);
    }
    if (bytes > MAX_FORM_BYTES) parser.destroy(tooLarge('the form', MAX_FORM_BYTES));
  });
  const onAborted = (): void => void parser.destroy(invalid('the request ended early'));
  body.once('error', onAborted);
  body.once('close', () => body.readableEnded || onAborted());
  body.pipe(parser);
  try {
    return await parts;
  } finally {
    body.unpipe(parser);
    body.resume(); // the rest, if any, so that the client gets to read the answer
  }
}

function createParser(headers: IncomingHttpHeaders): busboy.Busboy {
  try {
    return busboy({
      headers,
      limits: { files: MAX_BUCKET_FILES, fields: 0, fileSize: MAX_PART_BYTES, headerPairs: 20 },
    });
  } catch (error) {
    throw invalid((error as Error).message);
  }
}

function collectParts(parser: busboy.Busboy): Promise<AssetPart[]> {
  return new Promise((resolve, reject) => {
    const parts: AssetPart[] = [];
    parser.on('file', (hash, stream, { mimeType }) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', () => {}); // the parser reports the same
      stream.on('limit', () => parser.destroy(tooLarge(`asset ${hash}`, MAX_ASSET_BYTES)));
      stream.on('end', () => {
        const content = decode(Buffer.concat(chunks));
        if (content === undefined) parser.destroy(invalid(`asset ${hash} is not base64`));
        else if (content.byteLength > MAX_ASSET_BYTES) parser.destroy(tooLarge(`asset ${hash}`, MAX_ASSET_BYTES));
        else parts.push({ hash, type: toContentType(mimeType), content });
      });
    });
    parser.on('filesLimit', () => parser.destroy(invalid(`more than ${MAX_BUCKET_FILES} files in one request`)));
    parser.on('fieldsLimit', () => parser.destroy(invalid('a part is no file (it has no filename)')));
    parser.on('error', (error) => reject(error instanceof PlatformError ? error : invalid((error as Error).message)));
    parser.on('close', () => resolve(parts));
  });
}

function decode(base64: Buffer): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(base64.toString('latin1'));
  } catch {
    return undefined;
  }
}

/** The parser drops parameters. Text is UTF-8: wrangler says so of all of it. */
function toContentType(mimeType: string): string | null {
  const type = mimeType.toLowerCase();
  if (type === NO_TYPE) return null;
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type;
}

function tooLarge(what: string, limit: number): PlatformError {
  return new PlatformError(
    'assetLimit',
    `Cannot store assets: ${what} is larger than ${limit} bytes, which is the limit`,
  );
}

function invalid(reason: string): PlatformError {
  return new PlatformError('assetUploadInvalid', `Cannot read the upload of assets: ${reason}`);
}
