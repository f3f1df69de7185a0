/** What can be fetched without a network: `data:` URLs, and the blobs that `URL.createObjectURL` has given a URL. */
import {
  atob,
  baseHref,
  type Blob,
  blobBytes,
  blobType,
  isBlob,
  originOf,
  parseMimeType,
  percentDecodeBytes,
  regExpExec,
  SafeMap,
  serializeMimeType,
  stringFromCharCode,
  stringIndexOf,
  stringSlice,
} from '../core.ts';

/** Bytes that nobody else holds, and their type. */
interface Content {
  readonly type: string;
  readonly bytes: ArrayBuffer;
}

const BASE64 = /^([^]*); *base64$/i;
const AROUND = /^[\t\n\f\r ]*([^]*?)[\t\n\f\r ]*$/;
const FALLBACK_TYPE = 'text/plain;charset=US-ASCII';
const ID_DIGITS = 12;

const blobs = new SafeMap<string, Blob>();
let made = 0;

/** What a URL without its fragment stands for; undefined when that is nothing. */
export function readLocalUrl(url: string, method: string): Content | undefined {
  if (stringIndexOf(url, 'data:') === 0) return readDataUrl(url);
  const blob = method === 'GET' ? blobs.get(url) : undefined;
  if (blob === undefined) return undefined;
  return { type: blobType(blob), bytes: new Uint8Array(blobBytes(blob)).buffer };
}

/** `URL.createObjectURL`: the blob stays until the URL is revoked or the Worker ends. */
export function createObjectURL(object: unknown): string {
  if (!isBlob(object)) {
    throw new TypeError("Failed to execute 'createObjectURL' on 'URL': parameter 1 is not of type 'Blob'");
  }
  const base = baseHref();
  made++;
  let digits = `${made}`;
  while (digits.length < ID_DIGITS) digits = `0${digits}`;
  // Unique where it can be used, which is this isolate. Nobody else has to be kept from guessing it.
  const url = `blob:${base === undefined ? 'null' : originOf(base)}/00000000-0000-4000-8000-${digits}`;
  blobs.set(url, object);
  return url;
}

export function revokeObjectURL(url: string): void {
  blobs.delete(url);
}

/** Fetch standard, "data: URL processor". */
function readDataUrl(url: string): Content | undefined {
  const comma = stringIndexOf(url, ',');
  if (comma === -1) return undefined;
  let type = regExpExec(AROUND, stringSlice(url, 5, comma))![1]!;
  let bytes = percentDecodeBytes(stringSlice(url, comma + 1));
  const base64 = regExpExec(BASE64, type);
  if (base64 !== null) {
    type = base64[1]!;
    try {
      bytes = toBytes(atob(toText(bytes)));
    } catch {
      return undefined;
    }
  }
  const parsed = parseMimeType(stringIndexOf(type, ';') === 0 ? `text/plain${type}` : type);
  return {
    type: parsed === undefined ? FALLBACK_TYPE : serializeMimeType(parsed),
    bytes: new Uint8Array(bytes).buffer,
  };
}

function toText(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i++) text += stringFromCharCode(bytes[i]!);
  return text;
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
