/** The upload form, read within bounds. Knows nothing of Workers: parts in, parts out. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { PlatformError } from '../errors.ts';
import type { BodyHold } from './body-budget.ts';
import { MAX_METADATA_BYTES, MAX_MODULES, MAX_UPLOAD_RAW_BYTES } from '../limits.ts';

const MAX_FILES = 2 * MAX_MODULES + 1; // each module may come with a source map; metadata may come as a file
const MAX_FIELDS = 2; // metadata, and one more to be refused by name rather than by number

export interface FormPart {
  readonly name: string;
  /** Lower case, without parameters. */
  readonly mimeType: string;
  readonly content: Buffer;
}

export interface Form {
  /** The part that describes the others, `metadata` in an upload. */
  readonly metadata: string;
  /** All the others, in the order sent. */
  readonly files: readonly FormPart[];
}

/**
 * `field`: the name of the part that is JSON. Throws `invalidUpload` for a malformed form and `uploadTooLarge` past
 * `MAX_UPLOAD_RAW_BYTES` in all.
 */
export async function readForm(
  headers: IncomingHttpHeaders,
  body: Readable | undefined,
  { field = 'metadata', hold }: { field?: 'metadata' | 'settings'; hold?: BodyHold | undefined } = {},
): Promise<Form> {
  if (body === undefined) throw invalid('the request has no body');
  const parser = createParser(headers);
  const parts = collectParts(parser, field);
  let bytes = 0;
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    try {
      hold?.add(chunk.byteLength);
    } catch (error) {
      parser.destroy(error as Error);
    }
    if (bytes > MAX_UPLOAD_RAW_BYTES) {
      parser.destroy(
        new PlatformError(
          'uploadTooLarge',
          `Cannot upload: the form is larger than ${MAX_UPLOAD_RAW_BYTES} bytes before compression`,
        ),
      );
    }
  });
  const onAborted = (): void => void parser.destroy(invalid('the request ended early'));
  body.once('error', onAborted);
  body.once('close', () => body.readableEnded || onAborted());
  body.pipe(parser);
  try {
    return toForm(await parts, field);
  } finally {
    body.unpipe(parser);
    body.resume(); // the rest, if any, so that the client gets to read the answer
  }
}

function createParser(headers: IncomingHttpHeaders): busboy.Busboy {
  if (!/^multipart\/form-data\b/i.test(headers['content-type'] ?? '')) {
    throw invalid('the body must be multipart/form-data');
  }
  try {
    return busboy({
      headers,
      defParamCharset: 'utf8',
      preservePath: true,
      limits: { files: MAX_FILES, fields: MAX_FIELDS, fieldSize: MAX_METADATA_BYTES },
    });
  } catch (error) {
    throw invalid((error as Error).message, error);
  }
}

function collectParts(parser: busboy.Busboy, expected: string): Promise<FormPart[]> {
  return new Promise((resolve, reject) => {
    const parts: FormPart[] = [];
    const fail = (reason: string): void => void parser.destroy(invalid(reason));
    parser.on('file', (name, stream, { mimeType }) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', () => {}); // the parser reports the same
      stream.on('end', () => {
        parts.push({ name: name ?? '', mimeType: mimeType.toLowerCase(), content: Buffer.concat(chunks) });
      });
    });
    parser.on('field', (name, value, { valueTruncated, mimeType }) => {
      if (valueTruncated) {
        fail(`form field '${name.slice(0, 100)}' is longer than ${MAX_METADATA_BYTES} bytes`);
      } else if (name === expected) {
        parts.push({ name, mimeType, content: Buffer.from(value) });
      } else {
        fail(`form field '${name.slice(0, 100)}' is neither '${expected}' nor a file (no filename)`);
      }
    });
    parser.on('filesLimit', () => fail(`more than ${MAX_MODULES} modules`));
    parser.on('fieldsLimit', () => fail('too many form fields'));
    parser.on('error', (error) =>
      reject(error instanceof PlatformError ? error : invalid((error as Error).message, error)),
    );
    parser.on('close', () => resolve(parts));
  });
}

function toForm(parts: readonly FormPart[], field: string): Form {
  const [metadata, ...more] = parts.filter((part) => part.name === field);
  if (metadata === undefined) throw invalid(`the form has no '${field}' part`);
  if (more.length > 0) throw invalid(`the form has more than one '${field}' part`);
  if (metadata.content.byteLength > MAX_METADATA_BYTES) {
    throw invalid(`form field '${field}' is longer than ${MAX_METADATA_BYTES} bytes`);
  }
  return {
    metadata: metadata.content.toString('utf8'),
    files: parts.filter((part) => part !== metadata),
  };
}

function invalid(reason: string, cause?: unknown): PlatformError {
  return new PlatformError('invalidUpload', `Cannot read the upload: ${reason}`, { cause });
}
