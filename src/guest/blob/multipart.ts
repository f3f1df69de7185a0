/** `multipart/form-data` both ways (Fetch standard, section 6.2 and RFC 7578). */
import { type Bytes, bytesSlice, bytesSubarray, concatBytes, utf8Decode, utf8Encode } from '../shared.ts';
import { blobBytes, createFile } from './blob.ts';
import { addEntry, FormData, formDataEntries } from './form-data.ts';

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const MAX_PART_HEADER_BYTES = 16 * 1024;
const BOUNDARY_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export interface EncodedFormData {
  readonly boundary: string;
  readonly bytes: Bytes;
}

/** Encodes a form. A boundary is chosen at call time: one made before a snapshot would be every isolate's. */
export function encodeFormData(data: FormData, boundary: string = createBoundary()): EncodedFormData {
  const chunks: Bytes[] = [];
  let length = 0;
  const add = (chunk: Bytes): void => {
    chunks.push(chunk);
    length += chunk.length;
  };
  const entries = formDataEntries(data);
  for (let i = 0; i < entries.length; i++) {
    const [name, value] = entries[i] as (typeof entries)[number];
    let head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(normalizeLines(name))}"`;
    if (typeof value === 'string') {
      add(utf8Encode(`${head}\r\n\r\n${normalizeLines(value)}\r\n`));
      continue;
    }
    head += `; filename="${escapeName(value.name)}"\r\nContent-Type: ${value.type || 'application/octet-stream'}\r\n\r\n`;
    add(utf8Encode(head));
    add(blobBytes(value));
    add(utf8Encode('\r\n'));
  }
  add(utf8Encode(`--${boundary}--\r\n`));
  return { boundary, bytes: concatBytes(chunks, length) };
}

/**
 * Parses a form. Strict: anything but parts with a `Content-Disposition: form-data` and a name, each ended by the
 * boundary, throws a TypeError. Linear in the length of its input.
 */
export function parseMultipart(bytes: Bytes, boundary: string): FormData {
  const data = new FormData();
  const delimiter = utf8Encode(`--${boundary}`);
  const { length } = bytes;
  let at = 0;
  // A preamble before the first boundary is not allowed, but line breaks are (as browsers have it).
  while (bytes[at] === CR && bytes[at + 1] === LF) at += 2;
  if (!startsWith(bytes, at, delimiter)) throw malformed('it does not begin with the boundary');
  at += delimiter.length;
  for (;;) {
    if (bytes[at] === DASH && bytes[at + 1] === DASH) {
      // Only line breaks may follow the end.
      for (at += 2; at < length; at++) {
        if (bytes[at] !== CR && bytes[at] !== LF) throw malformed('bytes follow its end');
      }
      return data;
    }
    if (bytes[at] !== CR || bytes[at + 1] !== LF) throw malformed('a boundary is not followed by a line break');
    at += 2;
    const part = parseHead(bytes, at);
    const end = findDelimiter(bytes, part.end, delimiter);
    if (end < 0) throw malformed('a part has no end');
    const body = bytesSubarray(bytes, part.end, end);
    if (part.filename === undefined) addEntry(data, part.name, utf8Decode(body));
    else addEntry(data, part.name, createFile(bytesSlice(body), part.filename, part.type ?? 'text/plain'));
    at = end + 2 + delimiter.length;
  }
}

/** A boundary for one body. */
export function createBoundary(): string {
  let boundary = '----isolaFormBoundary';
  for (let i = 0; i < 24; i++) boundary += BOUNDARY_CHARACTERS.charAt(Math.trunc(Math.random() * 62));
  return boundary;
}

interface PartHead {
  name: string;
  filename: string | undefined;
  type: string | undefined;
  /** Where the part's body begins. */
  end: number;
}

function parseHead(bytes: Bytes, from: number): PartHead {
  let at = from;
  let name: string | undefined;
  let filename: string | undefined;
  let type: string | undefined;
  for (;;) {
    const lineEnd = findLineEnd(bytes, at, from + MAX_PART_HEADER_BYTES);
    if (lineEnd === at) break;
    const line = utf8Decode(bytesSubarray(bytes, at, lineEnd));
    at = lineEnd + 2;
    const colon = line.indexOf(':');
    if (colon <= 0) throw malformed('a part has a header without a name');
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, colon).trim().toLowerCase()) {
      case 'content-disposition': {
        const disposition = parseDisposition(value);
        name = disposition.name;
        filename = disposition.filename;
        break;
      }
      case 'content-type':
        type = value;
        break;
      default: // ignored, as the standard says
    }
  }
  if (name === undefined) throw malformed('a part has no name');
  return { name, filename, type, end: at + 2 };
}

function parseDisposition(value: string): { name: string | undefined; filename: string | undefined } {
  if (!/^form-data\s*;/i.test(value)) throw malformed('a part is not form-data');
  let name: string | undefined;
  let filename: string | undefined;
  const parameter = /;\s*([a-z*]+)=(?:"([^"]*)"|([^\s";]+))\s*/giy;
  parameter.lastIndex = value.indexOf(';');
  let end = parameter.lastIndex;
  for (let match = parameter.exec(value); match !== null; match = parameter.exec(value)) {
    end = parameter.lastIndex;
    const text = unescapeName(match[2] ?? match[3] ?? '');
    const key = (match[1] as string).toLowerCase();
    if (key === 'name') name = text;
    else if (key === 'filename') filename = text;
  }
  if (end !== value.length) throw malformed('a Content-Disposition cannot be read');
  return { name, filename };
}

function findLineEnd(bytes: Bytes, from: number, limit: number): number {
  const end = Math.min(bytes.length - 1, limit);
  for (let i = from; i < end; i++) if (bytes[i] === CR && bytes[i + 1] === LF) return i;
  throw malformed(end === limit ? `the headers of a part exceed ${MAX_PART_HEADER_BYTES} bytes` : 'a part has no body');
}

/** Where CR LF and the delimiter come next. A part may have an empty body: its line break is then the header's. */
function findDelimiter(bytes: Bytes, from: number, delimiter: Bytes): number {
  for (let at = bytes.indexOf(CR, from); at >= 0; at = bytes.indexOf(CR, at + 1)) {
    if (bytes[at + 1] === LF && startsWith(bytes, at + 2, delimiter)) return at;
  }
  return -1;
}

function startsWith(bytes: Bytes, at: number, prefix: Bytes): boolean {
  if (at + prefix.length > bytes.length) return false;
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

// The three characters that would end the quoted string or the line (HTML, multipart/form-data encoding algorithm).
function escapeName(text: string): string {
  return text.replace(/["\r\n]/g, (c) => (c === '"' ? '%22' : c === '\r' ? '%0D' : '%0A'));
}

function unescapeName(text: string): string {
  return text.replace(/%0A|%0D|%22/gi, (escape) => {
    const code = escape.toUpperCase();
    return code === '%22' ? '"' : code === '%0D' ? '\r' : '\n';
  });
}

function normalizeLines(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\r\n');
}

function malformed(why: string): TypeError {
  return new TypeError(`Cannot parse as multipart/form-data: ${why}`);
}
