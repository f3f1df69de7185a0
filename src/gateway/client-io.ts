/** What a request and its answer need of HTTP, whichever version: node:http's own objects for 1.1, http2.ts for 2. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Upgrade } from '../web-socket/index.ts';

/** Where a request came in: a connection, or one stream of it. */
export interface ClientPort {
  /** Breaks it off: the client sees that the answer is not complete. */
  destroy(): unknown;
  /** Breaks it off when nothing moves for so long; 0 takes that back. */
  setTimeout(ms: number): unknown;
  readonly writableLength: number;
}

export interface ClientIn {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Name and value by turns. */
  readonly rawHeaders: readonly string[];
  readonly socket: ClientPort;
  /** What came behind the body, once it has ended. Only of HTTP/1.1. */
  readonly rawTrailers?: readonly string[];
  /** Whether there is no body. Only HTTP/2 says so apart from the headers. */
  readonly endsWithHead?: boolean;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  once(event: 'end', listener: () => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

export interface ClientOut {
  statusCode: number;
  /** HTTP/1.1: whether the connection may be used again. */
  shouldKeepAlive: boolean;
  /** Throws on names and values that are none. */
  writeHead(status: number, statusText: string | undefined, headers: string[]): unknown;
  flushHeaders(): void;
  write(chunk: string | Uint8Array, encoding?: BufferEncoding): boolean;
  end(chunk?: string | Uint8Array, encoding?: BufferEncoding): unknown;
  on(event: 'drain', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
}

/** A WebSocket's handshake, which is HTTP/1.1. */
export interface PendingUpgrade extends Upgrade {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
}
