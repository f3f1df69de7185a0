/**
 * Bodies, kept in the form they were given in until somebody needs another: a string stays a string all the way to the
 * host, and a stream object is made only when a Worker reads `.body`.
 */
import { forms, isBlob, isFormData } from '../blob/index.ts';
import { bytesSlice } from '../primordials.ts';
import { InStream, type PullCallback } from '../runtime/in-streams.ts';
import {
  NativePromise,
  jsonParse,
  objectDefineProperty,
  promiseReject,
  promiseResolve,
  charCodeAt,
  isWellFormed,
  stringIndexOf,
  stringSlice,
  toWellFormed,
} from '../runtime/intrinsics.ts';
import { isReadableStream, streams, type ByteStream, type Reader, type ReadSteps } from '../streams/index.ts';
import { toDOMString } from '../webidl.ts';
import { concatBytes, copyBytes, viewBytes, type Bytes } from '../bytes.ts';
import { exactBuffer } from './bytes.ts';
import {
  bytesToBlob,
  formToBytes,
  isURLSearchParams,
  parseFormData,
  searchParamsToString,
  utf8Decode,
  utf8Encode,
} from './platform.ts';

const NOT_BYTES = 'A body stream may only hold Uint8Array chunks';

/** What a body is made of; `stream` once it has been looked at as one. */
export type Source = string | Bytes | InStream | ByteStream;

/** The body of a request or a response: part of the record that each of these keeps. */
export interface Body {
  /** Null: it has no body. */
  source: Source | null;
  /** Read to its end, or being read, other than through a stream object. */
  used: boolean;
  /** Two bodies hold these bytes: neither may give them away. */
  shared: boolean;
}

/** Is the source one that has to be pumped? */
export function isStreamSource(source: Source | null): source is InStream | ByteStream {
  return source instanceof InStream || isReadableStream(source);
}

/** The head of a message with the `content-length` that a FixedLengthStream promises. */
export function withLength(head: string, { source }: Body): string {
  const length = isReadableStream(source) ? streams().fixedLength(source) : undefined;
  if (length === undefined || stringIndexOf(head, '\ncontent-length\n') !== -1) return head;
  return `${head}\ncontent-length\n${length}`;
}

/** Fills an empty body and returns the `content-type` it implies, or null: Fetch, "extract a body". */
export function extractBody(body: Body, init: unknown): string | null {
  if (typeof init === 'object' && init !== null) {
    const bytes = copyBytes(init);
    if (bytes !== undefined) {
      body.source = bytes;
      return null;
    }
    if (isReadableStream(init)) {
      if (streams().isDisturbed(init)) throw new TypeError('Cannot use a ReadableStream that has been read as a body');
      if (streams().isLocked(init)) throw new TypeError('Cannot use a locked ReadableStream as a body');
      body.source = init;
      return null;
    }
    if (isURLSearchParams(init)) {
      body.source = searchParamsToString(init);
      return 'application/x-www-form-urlencoded;charset=UTF-8';
    }
    if (isBlob(init)) {
      body.source = forms().blobBytes(init);
      body.shared = true;
      return forms().blobType(init) === '' ? null : forms().blobType(init);
    }
    if (isFormData(init)) {
      const { bytes, type } = formToBytes(init);
      body.source = bytes;
      return type;
    }
  }
  body.source = toDOMString(init);
  return 'text/plain;charset=UTF-8';
}

export function isBodyUsed(body: Body): boolean {
  return body.used || (isReadableStream(body.source) && streams().isDisturbed(body.source));
}

/** Neither read nor being read: it can be sent, cloned or consumed. */
export function isBodyUnusable(body: Body): boolean {
  return (
    body.used ||
    (isReadableStream(body.source) && (streams().isDisturbed(body.source) || streams().isLocked(body.source)))
  );
}

/** The stream object, made at the first call; null when there is no body. */
export function bodyStream(body: Body): ByteStream | null {
  const { source } = body;
  if (source === null || isReadableStream(source)) return source;
  let stream: ByteStream;
  if (body.used) {
    // It has been read as a whole, or is being read: an empty stream shows that, disturbed and locked.
    stream = streams().createByteStream(
      () => {},
      () => {},
    );
    streams().cancelQuietly(streams().lock(stream), undefined);
  } else if (source instanceof InStream) stream = inStreamToStream(source);
  else {
    let rest: Bytes | undefined =
      typeof source === 'string' ? utf8Encode(source) : body.shared ? bytesSlice(source) : source;
    stream = streams().createByteStream(
      (controller) => {
        const bytes = rest;
        rest = undefined;
        if (bytes !== undefined && bytes.byteLength > 0) controller.enqueue(bytes);
        controller.close();
      },
      () => {
        rest = undefined;
      },
    );
  }
  body.source = stream;
  return stream;
}

/** Two bodies in place of one: Fetch, "clone a body". `copy` is an empty one. */
export function cloneBody(body: Body, copy: Body): void {
  const { source } = body;
  if (source instanceof InStream || isReadableStream(source)) {
    [body.source, copy.source] = streams().teeBody(bodyStream(body)!);
    return;
  }
  copy.source = source;
  if (source === null || typeof source === 'string') return;
  body.shared = true;
  copy.shared = true;
}

/** The same body for a new owner, `target`; the old one is used up. */
export function moveBody(body: Body, target: Body): void {
  const { source } = body;
  target.source = isReadableStream(source) ? proxyStream(source) : source;
  target.shared = body.shared;
  body.used = true;
}

/**
 * Gives all bytes of a body to `take`, maybe at once. They may be kept unless `body.shared`. Not by a promise: on its way
 * through one, an object is asked for a `then`, which a tenant may have put on every object.
 */
function collect(body: Body, source: Source, take: (bytes: Bytes) => void, fail: (reason: unknown) => void): void {
  body.used = true;
  if (typeof source === 'string') take(utf8Encode(source));
  else if (source instanceof InStream) pullWhole(source, take, fail);
  else if (isReadableStream(source)) readAll(streams().lock(source), take, fail);
  else take(source);
}

/**
 * Puts `arrayBuffer()`, `blob()`, `bytes()`, `formData()`, `json()`, `text()`, `body` and `bodyUsed` on a prototype.
 * `bodyOf` throws a TypeError for an object of another kind.
 */
export function defineBodyMethods(
  prototype: object,
  bodyOf: (self: unknown) => Body,
  typeOf: (self: unknown) => string | null,
): void {
  function consume<T>(self: unknown, convert: (bytes: Bytes, shared: boolean) => T): Promise<T> {
    let body: Body;
    try {
      body = bodyOf(self);
    } catch (error) {
      return promiseReject(error);
    }
    const { source } = body;
    if (source === null) return settle(() => convert(new Uint8Array(0), false));
    if (isBodyUnusable(body)) return promiseReject(new TypeError('The body has already been used'));
    return collected(body, source, (bytes) => convert(bytes, body.shared));
  }
  function consumeText<T>(self: unknown, convert: (text: string) => T): Promise<T> {
    let body: Body;
    try {
      body = bodyOf(self);
    } catch (error) {
      return promiseReject(error);
    }
    const { source } = body;
    if (source === null) return settle(() => convert(''));
    if (isBodyUnusable(body)) return promiseReject(new TypeError('The body has already been used'));
    if (typeof source === 'string') {
      body.used = true;
      return settle(() => convert(decodedText(source)));
    }
    return collected(body, source, (bytes) => convert(utf8Decode(bytes)));
  }
  const methods = {
    arrayBuffer() {
      return consume(this, (bytes, shared) =>
        shared ? bytesSlice(bytes).buffer : exactBuffer(bytes, bytes.byteLength),
      );
    },
    blob() {
      // The blob never changes the bytes and never hands them out: shared or not does not matter.
      return consume(this, (bytes) => bytesToBlob(bytes, typeOf(this)));
    },
    bytes() {
      return consume(this, (bytes, shared) => (shared ? bytesSlice(bytes) : bytes));
    },
    formData() {
      return consume(this, (bytes) => parseFormData(bytes, typeOf(this)));
    },
    json() {
      return consumeText(this, (text) => jsonParse(text) as unknown);
    },
    text() {
      return consumeText(this, (text) => text);
    },
    get body(): ByteStream | null {
      return bodyStream(bodyOf(this));
    },
    get bodyUsed(): boolean {
      return isBodyUsed(bodyOf(this));
    },
  };
  for (const key of Object.keys(methods)) {
    objectDefineProperty(prototype, key, Object.getOwnPropertyDescriptor(methods, key)!);
  }
}

function settle<T>(compute: () => T): Promise<Awaited<T>> {
  try {
    return promiseResolve(compute());
  } catch (error) {
    return promiseReject(error);
  }
}

function collected<T>(body: Body, source: Source, convert: (bytes: Bytes) => T): Promise<T> {
  return new NativePromise((resolve, reject) => {
    const take = (bytes: Bytes): void => {
      try {
        resolve(convert(bytes));
      } catch (error) {
        reject(error);
      }
    };
    collect(body, source, take, reject);
  });
}

/** What decoding the UTF-8 form of a string gives: no byte order mark, no lone surrogates. */
function decodedText(source: string): string {
  const text = source.length > 0 && charCodeAt(source, 0) === 0xfeff ? stringSlice(source, 1) : source;
  return isWellFormed(text) ? text : toWellFormed(text);
}

function pullWhole(source: InStream, take: (bytes: Bytes) => void, fail: (reason: unknown) => void): void {
  source.pull(true, (bytes, _end, failure) => {
    if (failure === undefined) take(bytes === undefined ? new Uint8Array(0) : new Uint8Array(bytes));
    else fail(failure.reason);
  });
}

function readAll(reader: Reader, take: (bytes: Bytes) => void, fail: (reason: unknown) => void): void {
  const parts: Bytes[] = [];
  let total = 0;
  let isAsking = false; // chunks that are there already come at once: a loop, lest the stack grow
  let wants = true;
  const steps: ReadSteps = {
    chunk(value) {
      const bytes = viewBytes(value);
      if (bytes === undefined) {
        const error = new TypeError(NOT_BYTES);
        streams().cancelQuietly(reader, error);
        fail(error);
        return;
      }
      total += bytes.byteLength;
      parts[parts.length] = bytes;
      wants = true;
      if (!isAsking) ask();
    },
    close() {
      take(parts.length === 1 ? parts[0]! : concatBytes(parts, total));
    },
    error: fail,
  };
  function ask(): void {
    isAsking = true;
    while (wants) {
      wants = false;
      reader.read(steps);
    }
    isAsking = false;
  }
  ask();
}

function inStreamToStream(source: InStream): ByteStream {
  return streams().createByteStream(
    (controller) =>
      new NativePromise((resolve, reject) => {
        const accept: PullCallback = (bytes, end, failure) => {
          if (failure !== undefined) {
            reject(failure.reason);
            return;
          }
          const some = bytes !== undefined && bytes.byteLength > 0;
          if (some) controller.enqueue(new Uint8Array(bytes));
          if (end) controller.close();
          else if (!some) {
            // A pull that enqueues nothing is not repeated by the stream: an empty chunk would stall its reader.
            source.pull(false, accept);
            return;
          }
          resolve();
        };
        source.pull(false, accept);
      }),
    () => {
      source.stop();
    },
  );
}

/** Fetch, "create a proxy": the old stream stays locked, the new one gives what it would have given. */
function proxyStream(stream: ByteStream): ByteStream {
  const reader = streams().lock(stream);
  return streams().createByteStream(
    (controller) =>
      new NativePromise<void>((resolve, reject) => {
        reader.read({
          chunk(value) {
            const bytes = viewBytes(value);
            if (bytes === undefined) {
              reject(new TypeError(NOT_BYTES));
              return;
            }
            // A byte stream takes no empty chunk, and does not ask again after a pull that gave none.
            if (bytes.byteLength === 0) {
              reader.read(this);
              return;
            }
            controller.enqueue(bytes);
            resolve();
          },
          close() {
            controller.close();
            resolve();
          },
          error: reject,
        });
      }),
    (reason) => {
      streams().cancelQuietly(reader, reason);
    },
  );
}
