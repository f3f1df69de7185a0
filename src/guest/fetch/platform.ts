/** The parts of the Web platform that bodies touch, by the narrow functions they need of them. */
import {
  type Blob,
  blobBytes,
  blobType,
  createBlob,
  encodeFormData,
  type FormData,
  isBlob,
  isFormData,
  parseMultipart,
  parseUrlencodedForm,
} from '../blob/index.ts';
import type { Bytes } from '../bytes.ts';
import {
  abortReason,
  type AbortSignal,
  addAbortAlgorithm,
  anySignal,
  createSignal,
  isAborted,
  isAbortSignal,
  signalAbort,
} from '../events/index.ts';
import { utf8Decode as decodeKeepingMark, utf8Encode } from '../encoding/utf8.ts';
import { promiseThen, reflectApply, charCodeAt, stringSlice } from '../runtime/intrinsics.ts';
import {
  fixedLength,
  isDisturbed as isStreamDisturbed,
  ReadableStream,
  ReadableStreamDefaultReader,
} from '../streams.ts';
import { parseUrl } from '../url/parse.ts';
import { URLSearchParams } from '../url/url-search-params.ts';
import { toUSVString } from '../webidl.ts';
import { parseMimeType, serializeMimeType } from './mime.ts';

export {
  abortReason,
  addAbortAlgorithm,
  blobBytes,
  blobType,
  fixedLength,
  isBlob,
  isFormData,
  isAborted,
  isAbortSignal,
  isStreamDisturbed,
  utf8Encode,
};

export type { AbortSignal };
export type ByteStream = ReadableStream<Uint8Array>;

/** A locked stream: its reader, called past the public methods. */
export interface Reader {
  read(): Promise<ReadResult>;
  cancel(reason: unknown): Promise<void>;
}
export interface ReadResult {
  readonly done: boolean;
  readonly value: unknown;
}
export interface ByteController {
  enqueue(bytes: Uint8Array): void;
  close(): void;
}

const { getReader, tee } = ReadableStream.prototype;
const { read, cancel } = ReadableStreamDefaultReader.prototype;
const locked = Object.getOwnPropertyDescriptor(ReadableStream.prototype, 'locked')!.get!;

export function isReadableStream(value: unknown): value is ByteStream {
  return typeof value === 'object' && value instanceof ReadableStream && '_readableStreamController' in value;
}

export function isStreamLocked(stream: ByteStream): boolean {
  return reflectApply(locked, stream, []) as boolean;
}

export function lockStream(stream: ByteStream): Reader {
  const reader: unknown = reflectApply(getReader as () => unknown, stream, []);
  return {
    read: () => reflectApply(read, reader, []) as Promise<ReadResult>,
    cancel: (reason) => reflectApply(cancel, reader, [reason]),
  };
}

/** Cancels; whatever comes of it is nobody's business any more. */
export function cancelStream(reader: Reader, reason: unknown): void {
  void promiseThen(reader.cancel(reason), ignore, ignore);
}

export function teeStream(stream: ByteStream): [ByteStream, ByteStream] {
  return reflectApply(tee as () => unknown, stream, []) as [ByteStream, ByteStream];
}

export function createByteStream(
  pull: (controller: ByteController) => void | Promise<void>,
  onCancel: (reason: unknown) => void,
): ByteStream {
  return new ReadableStream({ type: 'bytes', pull, cancel: onCancel }, { highWaterMark: 0 }) as ByteStream;
}

/** The standard's "UTF-8 decode": drops one byte order mark. */
export function utf8Decode(bytes: Uint8Array): string {
  const text = decodeKeepingMark(bytes);
  return text.length > 0 && charCodeAt(text, 0) === 0xfeff ? stringSlice(text, 1) : text;
}

/** A signal that the runtime may abort. */
export function createAborter(): { readonly signal: AbortSignal; readonly abort: () => void } {
  const signal = createSignal();
  return { signal: signal, abort: () => signalAbort(signal) };
}

/** A new signal that aborts with another. */
export function followSignal(source: AbortSignal): AbortSignal {
  return anySignal([source]);
}

export function neverAborted(): AbortSignal {
  return createSignal();
}

function ignore(): void {}

/** A form in the format that its `content-type` names. Throws a TypeError for anything else. */
export function parseFormData(bytes: Bytes, contentType: string | null): FormData {
  const type = contentType === null ? undefined : parseMimeType(contentType);
  if (type?.essence === 'application/x-www-form-urlencoded') return parseUrlencodedForm(bytes);
  if (type?.essence !== 'multipart/form-data') {
    throw new TypeError(`Cannot parse a form: the content-type is ${contentType ?? 'missing'}`);
  }
  const boundary = type.parameters['boundary'];
  if (boundary === undefined) throw new TypeError('Cannot parse a form: the content-type names no boundary');
  return parseMultipart(bytes, boundary);
}

/** The bytes of a form and the `content-type` that goes with them. */
export function formToBytes(form: FormData): { readonly bytes: Bytes; readonly type: string } {
  const { bytes, boundary } = encodeFormData(form);
  return { bytes, type: `multipart/form-data; boundary=${boundary}` };
}

export function bytesToBlob(bytes: Bytes, contentType: string | null): Blob {
  const type = contentType === null ? undefined : parseMimeType(contentType);
  return createBlob(bytes, type === undefined ? '' : serializeMimeType(type));
}

const { toString: paramsToString } = URLSearchParams.prototype;

export function isURLSearchParams(value: object): value is URLSearchParams {
  return value instanceof URLSearchParams;
}

export function searchParamsToString(params: URLSearchParams): string {
  return reflectApply(paramsToString, params, []);
}

/** An absolute URL in its normal form; undefined for anything else. */
export function parseHref(text: string): string | undefined {
  return parseUrl(toUSVString(text), undefined)?.href;
}

/** The same without a user name or a password, which a request's URL may not have. */
export function parseRequestHref(text: string): string | undefined {
  const url = parseUrl(toUSVString(text), undefined);
  if (url === undefined) return undefined;
  return url.hasHost && url.hostStart !== url.schemeEnd + 2 ? undefined : url.href;
}
