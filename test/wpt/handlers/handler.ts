/** What stands for a `.py` file of the suite: takes a request, answers it or writes the response itself. */
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Answer {
  readonly status?: number;
  readonly statusText?: string;
  /** In order; the same name may come twice. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
  /** Text is sent as UTF-8. */
  readonly body?: string | Uint8Array;
}

/** Answers; or has written the response itself, or broken it off, and returns nothing. */
export type Handler = (request: TestRequest) => Answer | undefined | Promise<Answer | undefined>;

/** Values that one request leaves for another, as in wptserve: taking one removes it. */
export type Stash = Map<string, unknown>;

export class TestRequest {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly stash: Stash;
  readonly #query: readonly (readonly [string, string])[];

  constructor(message: IncomingMessage, response: ServerResponse, stash: Stash) {
    this.message = message;
    this.response = response;
    this.url = new URL(message.url ?? '/', `http://${message.headers.host ?? 'localhost'}`);
    this.stash = stash;
    this.#query = parseQuery(this.url.search.slice(1));
  }

  get method(): string {
    return this.message.method ?? 'GET';
  }

  /** The first value of that name in the query, a character for each byte. */
  query(name: string): string | undefined {
    return this.#query.find(([key]) => key === name)?.[1];
  }

  get queries(): readonly (readonly [string, string])[] {
    return this.#query;
  }

  header(name: string): string | undefined {
    const value = this.message.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  async body(): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.message) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  /** Takes what an earlier request has put away. */
  take(key: string): unknown {
    const value = this.stash.get(key);
    this.stash.delete(key);
    return value;
  }
}

/** Time to wait, in ms; over at once when the client goes. */
export function pause(request: TestRequest, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      request.response.off('close', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    request.response.on('close', finish);
  });
}

function parseQuery(text: string): (readonly [string, string])[] {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [decode(pair), ''] : [decode(pair.slice(0, at)), decode(pair.slice(at + 1))];
    });
}

function decode(text: string): string {
  return text
    .replaceAll('+', ' ')
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
