/** A client that times single requests: keep-alive connections, the clock stopped at the first byte of the answer. */
import http from 'node:http';

const TIMEOUT_MS = 10_000;

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** From handing the request over until the response's headers, in ms. */
  readonly firstByteMs: number;
}

export interface Client {
  /** Rejects when the connection fails. */
  get(port: number, host: string): Promise<Answer>;
  close(): void;
}

export function createClient(): Client {
  const agent = new http.Agent({ keepAlive: true, scheduling: 'lifo' });
  return {
    get: (port, host) => get(agent, port, host),
    close: () => agent.destroy(),
  };
}

function get(agent: http.Agent, port: number, host: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const request = http.get({ agent, host: '127.0.0.1', port, headers: { host }, timeout: TIMEOUT_MS }, (response) => {
      const firstByteMs = performance.now() - start;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body, firstByteMs });
      });
    });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
  });
}
