/** The parts of the Web platform that bodies touch, by the narrow functions they need of them. */
import type { Blob } from '../blob/blob.ts';
import type { FormData } from '../blob/form-data.ts';
import { forms } from '../blob/index.ts';
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
import { reflectApply, charCodeAt, stringSlice } from '../runtime/intrinsics.ts';
import { parseRelative } from '../url/relative.ts';
import { URLSearchParams } from '../url/url-search-params.ts';
import { parseMimeType, serializeMimeType } from './mime.ts';

export { abortReason, addAbortAlgorithm, isAborted, isAbortSignal, utf8Encode };

export type { AbortSignal };
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

/** A form in the format that its `content-type` names. Throws a TypeError for anything else. */
export function parseFormData(bytes: Bytes, contentType: string | null): FormData {
  const type = contentType === null ? undefined : parseMimeType(contentType);
  if (type?.essence === 'application/x-www-form-urlencoded') return forms().parseUrlencodedForm(bytes);
  if (type?.essence !== 'multipart/form-data') {
    throw new TypeError(`Cannot parse a form: the content-type is ${contentType ?? 'missing'}`);
  }
  const boundary = type.parameters['boundary'];
  if (boundary === undefined) throw new TypeError('Cannot parse a form: the content-type names no boundary');
  return forms().parseMultipart(bytes, boundary);
}

/** The bytes of a form and the `content-type` that goes with them. */
export function formToBytes(form: FormData): { readonly bytes: Bytes; readonly type: string } {
  const { bytes, boundary } = forms().encodeFormData(form);
  return { bytes, type: `multipart/form-data; boundary=${boundary}` };
}

export function bytesToBlob(bytes: Bytes, contentType: string | null): Blob {
  const type = contentType === null ? undefined : parseMimeType(contentType);
  return forms().createBlob(bytes, type === undefined ? '' : serializeMimeType(type));
}

const { toString: paramsToString } = URLSearchParams.prototype;

export function isURLSearchParams(value: object): value is URLSearchParams {
  return value instanceof URLSearchParams;
}

export function searchParamsToString(params: URLSearchParams): string {
  return reflectApply(paramsToString, params, []);
}

/** An absolute URL in its normal form, without a user name or a password, which a request's URL may not have. */
export function parseRequestHref(text: string): string | undefined {
  const url = parseRelative(text);
  if (url === undefined) return undefined;
  return url.hasHost && url.hostStart !== url.schemeEnd + 2 ? undefined : url.href;
}
