/** WebAssembly that a Worker compiles itself: where its bytes come from, and what makes them safe to compile. */
import {
  askSync,
  copyBytes,
  isBodyUnusable,
  promiseReject,
  promiseResolve,
  promiseThen,
  type Response,
  responseBytes,
  responseState,
  responseType,
} from '../core.ts';

/** A binary with every memory capped, from a buffer source. Throws a TypeError for another value, `refuse(why)` for a bad one. */
export function toBinary(source: unknown, refuse: (why: string) => Error): ArrayBuffer {
  const copy = copyBytes(source);
  if (copy === undefined) throw new TypeError('WebAssembly: the source is not an ArrayBuffer or a view on one');
  if (copy.byteLength === 0) throw refuse('BufferSource argument is empty');
  try {
    return askSync('wasm.cap', {}, copy.buffer).bytes!;
  } catch (error) {
    throw refuse((error as Error).message);
  }
}

/** The bytes of a Response, or a promise of one, that says it is WebAssembly: WebAssembly Web API, section 4. */
export function readStreaming(source: unknown): Promise<Uint8Array> {
  return promiseThen(promiseResolve(source), (response) => {
    const state = responseState(response);
    if (state === undefined) return promiseReject(new TypeError('WebAssembly streaming takes a Response'));
    const { status } = state;
    if (responseType(response as Response) !== 'application/wasm') {
      return promiseReject(new TypeError('WebAssembly streaming takes a response of type application/wasm'));
    }
    if (status < 200 || status > 299) return promiseReject(new TypeError(`WebAssembly: the response is a ${status}`));
    if (isBodyUnusable(state)) return promiseReject(new TypeError('WebAssembly: the body has already been used'));
    return responseBytes(response as Response);
  }) as Promise<Uint8Array>;
}
