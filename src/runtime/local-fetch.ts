/** A Request sent through a local exchange, and the answer as a Response; bodies stream both ways. */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';

type Open = (head: string, body: Uint8Array | undefined, options: { fin: boolean; events: ExchangeEvents }) => Exchange;

const NULL_BODY_STATUSES = new Set([101, 204, 205, 304]); // Fetch standard §2.2.3: a Response may not have a body

/** `head` as in the guest's ABI: `method\nurl\nname\nvalue\n…`. Rejects when the Worker breaks off before its answer. */
export function sendRequest(request: Request, open: Open): Promise<Response> {
  const head = [request.method, request.url, ...[...request.headers].flat()].join('\n');
  return new Promise((resolve, reject) => {
    const answer = new Answer(resolve, reject);
    const { body } = request;
    const exchange = open(head, undefined, { fin: body === null, events: answer });
    answer.connect(exchange);
    if (body !== null) void upload(body, exchange, answer);
    request.signal.addEventListener('abort', () => {
      exchange.reset(RESET_CODES.canceled, 'aborted');
      answer.onReset(RESET_CODES.canceled, 'The request was aborted');
    });
  });
}

async function upload(body: ReadableStream<Uint8Array>, exchange: Exchange, answer: Answer): Promise<void> {
  try {
    for await (const chunk of body) if (!exchange.write(chunk)) await answer.drained();
    exchange.end();
  } catch {
    exchange.reset(RESET_CODES.canceled, 'the request body broke off');
  }
}

class Answer implements ExchangeEvents {
  readonly #resolve: (response: Response) => void;
  readonly #reject: (error: Error) => void;
  #exchange: Exchange | undefined;
  #body: ReadableStreamDefaultController<Uint8Array> | undefined;
  #ungranted = 0;
  #wake: (() => void) | undefined;

  constructor(resolve: (response: Response) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  connect(exchange: Exchange): void {
    this.#exchange = exchange;
  }

  drained(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  onResponse(status: number, head: string, body: Buffer, fin: boolean): void {
    if (status === 101) {
      this.#exchange?.reset(RESET_CODES.canceled, 'not wanted');
      this.onReset(RESET_CODES.canceled, 'The Worker answered with a WebSocket: see Runtime.upgrade');
      return;
    }
    const [statusText = '', ...fields] = head.split('\n');
    const headers = new Headers();
    for (let at = 0; at + 1 < fields.length; at += 2) headers.append(fields[at] ?? '', fields[at + 1] ?? '');
    const content = NULL_BODY_STATUSES.has(status) ? null : fin ? body : this.#stream(body);
    this.#resolve(new Response(content, { status, statusText, headers }));
  }

  onData(chunk: Buffer): void {
    this.#enqueue(chunk);
  }

  onEnd(): void {
    this.#body?.close();
  }

  onDrain(): void {
    this.#wake?.();
  }

  onReset(_code: number, reason: string): void {
    const error = new Error(reason === '' ? 'The Worker broke off' : reason);
    this.#reject(error);
    this.#body?.error(error);
    this.#wake?.();
  }

  #stream(first: Buffer): ReadableStream<Uint8Array> {
    return new ReadableStream({
      start: (controller) => {
        this.#body = controller;
        this.#enqueue(first);
      },
      // The reader has caught up: the Worker may send on.
      pull: () => {
        this.#exchange?.grant(this.#ungranted);
        this.#ungranted = 0;
      },
      cancel: () => this.#exchange?.reset(RESET_CODES.none, 'the response is not wanted any more'),
    });
  }

  #enqueue(chunk: Buffer): void {
    if (chunk.byteLength === 0) return;
    this.#ungranted += chunk.byteLength;
    this.#body?.enqueue(chunk);
  }
}
