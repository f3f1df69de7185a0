/** One request to the platform's own gateway, as a visitor sends it, and its answer within bounds. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PlatformError } from '../../errors.ts';
import { TRY_ANSWER_BYTES, TRY_TIMEOUT_MS } from '../../limits.ts';

/** Where the gateway listens, seen from this machine. */
export interface GatewayAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface Visit {
  /** Without a port. */
  readonly host: string;
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
}

export interface VisitAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** There was more of the body, or it did not end in time. */
  readonly truncated: boolean;
  /** Until the head was there, and until the body was read. */
  readonly headMs: number;
  readonly totalMs: number;
}

/** The connection goes to the gateway whatever the host says. Throws `overloaded` when it gives no answer. */
export function visit(gateway: GatewayAddress, { host, method, path, headers, body }: Visit): Promise<VisitAnswer> {
  const startedAt = performance.now();
  const elapsed = (): number => performance.now() - startedAt;
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(new PlatformError('overloaded', `Cannot try the Worker: ${error.message}`, { cause: error }));
    };
    const outgoing = (gateway.tls ? httpsRequest : httpRequest)({
      host: gateway.host,
      port: gateway.port,
      method,
      path,
      headers: [...headers.flat(), 'host', host, 'connection', 'close'],
      agent: false,
      // Our own process on this machine, whose certificate is for visitors' names.
      ...(gateway.tls && { servername: host, rejectUnauthorized: false }),
    });
    const timer = setTimeout(() => {
      outgoing.destroy(new Error(`no answer within ${TRY_TIMEOUT_MS / 1_000} s`));
    }, TRY_TIMEOUT_MS);
    outgoing.on('close', () => clearTimeout(timer));
    outgoing.on('error', fail);
    outgoing.on('response', (incoming) => {
      const headMs = elapsed();
      outgoing.off('error', fail).on('error', () => {}); // what came is shown
      readStart(incoming, ({ content, truncated }) => {
        outgoing.destroy();
        const { statusCode = 0, rawHeaders } = incoming;
        const pairs = rawHeaders.flatMap((name, at) =>
          at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : [],
        );
        resolve({ status: statusCode, headers: pairs, body: content, truncated, headMs, totalMs: elapsed() });
      });
    });
    outgoing.end(body);
  });
}

function readStart(incoming: IncomingMessage, onRead: (read: { content: Buffer; truncated: boolean }) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  incoming.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > TRY_ANSWER_BYTES) incoming.destroy();
  });
  incoming.on('error', () => {});
  incoming.on('close', () => {
    const content = Buffer.concat(chunks).subarray(0, TRY_ANSWER_BYTES);
    onRead({ content, truncated: bytes > TRY_ANSWER_BYTES || !incoming.complete });
  });
}
