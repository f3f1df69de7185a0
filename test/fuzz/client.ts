/** Sends requests exactly as they are: neither path nor header is put right on the way. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export class RawClient implements Disposable {
  readonly #url: URL;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(url: string) {
    this.#url = new URL(url);
  }

  async send({
    method,
    path,
    headers,
    body,
  }: {
    method: string;
    path: string;
    headers: Readonly<Record<string, string>>;
    body?: string | undefined;
  }): Promise<Answer> {
    const outgoing = request({
      host: this.#url.hostname,
      port: this.#url.port,
      agent: this.#agent,
      method,
      path,
      headers: { ...headers, ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }) },
    });
    // The server may answer and close before it has read a body that is too long.
    outgoing.on('error', () => {});
    outgoing.end(body);
    const [incoming] = await once(outgoing, 'response');
    return { status: incoming.statusCode ?? 0, text: await text(incoming) };
  }

  /**
   * Bytes that need be no HTTP. Resolves to what came back until the server closed. `waits`: with an end of its own that
   * comes after the answer, for requests that ask the server to close.
   */
  async sendBytes(bytes: string, { waits = false } = {}): Promise<string> {
    const socket = connect(Number(this.#url.port), this.#url.hostname);
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (answer += chunk));
    socket.on('error', () => {}); // a reset, where the rest of the bytes was not read
    if (waits) socket.write(Buffer.from(bytes, 'latin1'));
    else socket.end(Buffer.from(bytes, 'latin1'));
    await new Promise((resolve) => socket.on('close', resolve));
    return answer;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
