/** The last answer on a connection whose bytes are no HTTP, or come too slowly: short, and without a request to refer to. */
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

const STATUSES: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
  HPE_INVALID_VERSION: 505,
};

/** The status that fits an error of node:http's parser. */
export function statusOf(error: unknown): number {
  return STATUSES[(error as { code?: string }).code ?? ''] ?? 400;
}

/** Says it and closes. Nothing that the client has sent behind it is looked at. */
export function sayAndClose(socket: Duplex, status: number, headers = ''): void {
  socket.on('error', () => {}); // the client may be gone
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const text = STATUS_CODES[status] ?? '';
  const body = `${status} ${text}\n`;
  const head = `HTTP/1.1 ${status} ${text}\r\ncontent-type: text/plain\r\ncontent-length: ${body.length}\r\n`;
  socket.end(`${head}${headers}connection: close\r\n\r\n${body}`, () => socket.destroy());
}
