/** The body of a put: the value as it is, or a form with it and its metadata. */
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import type { FastifyRequest } from 'fastify';
import { PlatformError } from '../../errors.ts';
import { MAX_KV_METADATA_BYTES, MAX_KV_VALUE_BYTES } from '../../limits.ts';
import type { BodyHold } from '../body-budget.ts';
import { bodyStream, readBytes } from '../body.ts';

export interface ValueBody {
  readonly value: Buffer;
  /** As it came. */
  readonly metadata?: string;
}

/** Throws `kvLimit` for more than a value may have, and `badRequest` for a malformed form. */
export async function readValueBody(
  request: Pick<FastifyRequest, 'body' | 'bodyHold' | 'headers'>,
): Promise<ValueBody> {
  const body = bodyStream(request);
  if (body === undefined) return { value: Buffer.alloc(0) };
  const isForm = /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '');
  const { headers, bodyHold: hold } = request;
  if (isForm) return readForm(body, { headers, hold });
  return { value: await readBytes(body, { maxBytes: MAX_KV_VALUE_BYTES, hold, tooLong }) };
}

/** With the parts `value` and `metadata`, which wrangler sends as fields: latin1 keeps the bytes of either. */
async function readForm(
  body: Readable,
  { headers, hold }: { headers: FastifyRequest['headers']; hold: BodyHold | undefined },
): Promise<ValueBody> {
  const parts = new Map<string, Buffer>();
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown): void => reject(error instanceof PlatformError ? error : malformed(error));
    let parser: busboy.Busboy;
    try {
      const limits = { fields: 2, files: 2, fieldSize: MAX_KV_VALUE_BYTES + 1, fileSize: MAX_KV_VALUE_BYTES + 1 };
      parser = busboy({ headers, defCharset: 'latin1', limits });
    } catch (error) {
      return fail(error);
    }
    const keep = (name: string, content: Buffer): void => {
      if (content.byteLength > MAX_KV_VALUE_BYTES) fail(tooLong());
      else if (parts.has(name)) fail(new Error(`it has more than one part '${name.slice(0, 100)}'`));
      else parts.set(name, content);
    };
    parser.on('field', (name, value) => keep(name, Buffer.from(value, 'latin1')));
    parser.on('file', (name, stream) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => keep(name, Buffer.concat(chunks)));
      stream.on('error', fail);
    });
    parser.on('error', fail);
    parser.on('close', resolve);
    body.on('data', (chunk: Buffer) => {
      try {
        hold?.add(chunk.byteLength);
      } catch (error) {
        parser.destroy(error as Error);
      }
    });
    body.once('error', fail);
    body.once('close', () => body.readableEnded || fail(new Error('it ended early')));
    body.pipe(parser);
  }).finally(() => body.unpipe().resume());
  const value = parts.get('value');
  if (value === undefined) throw malformed(new Error("it has no part 'value'"));
  const metadata = parts.get('metadata');
  if (metadata === undefined) return { value };
  // Parsed before it is measured; much longer than the limit it need not be.
  return { value, metadata: metadata.subarray(0, 10 * MAX_KV_METADATA_BYTES).toString('utf8') };
}

function tooLong(): PlatformError {
  return new PlatformError('kvLimit', `Cannot put KV value: it is longer than ${MAX_KV_VALUE_BYTES} bytes`);
}

function malformed(error: unknown): PlatformError {
  return new PlatformError('badRequest', `Cannot read the form of a KV value: ${(error as Error).message}`);
}
