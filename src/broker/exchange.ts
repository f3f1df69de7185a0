/** A cell's outbound fetch: an exchange on one side, the egress on the other. */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import { MAX_REQUEST_BODY_BYTES } from '../limits.ts';
import { WebSocketSession } from '../web-socket/index.ts';
import type { Egress, EgressRequest, EgressResponse } from './egress.ts';
import { EgressError } from './errors.ts';
import type { HostPolicy } from './host-policy.ts';
import { parseClient } from './referrer.ts';

/** A cell's fetch, and what its account may reach. */
export interface FetchRequest {
  readonly head: string;
  readonly body: Buffer;
  readonly fin: boolean;
  /** Fetches of Workers that lie before it. */
  readonly hops?: number;
  /** Which hosts it may reach; all by default. Rejects when it may reach none. */
  readonly hosts?: Promise<HostPolicy>;
  readonly onEnd?: () => void;
  readonly onOpen?: () => void;
  readonly onClose?: () => void;
}

/**
 * Answers an exchange by a fetch to the network. `head` as the guest's ABI has it:
 * `method\nurl\nredirect[ policy referrer origin]\nname\nvalue\n…`; the answer's head is
 * `statusText\nurl\nredirected(0|1)\nname\nvalue\n…`. `onEnd` hears when it is over, however. A WebSocket that the
 * answer opens goes on after that, until `onClose`.
 */
export function serveFetch(egress: Egress, exchange: Exchange, request: FetchRequest): ExchangeEvents {
  const upload = new Upload(exchange, request.body, request.fin);
  let session: WebSocketSession | undefined;
  const [method = '', url = '', mode = '', ...headers] = request.head.split('\n');
  const [redirect, ...client] = mode.split(' ');
  const outbound: EgressRequest = {
    method,
    url,
    redirect: redirect === 'manual' || redirect === 'error' ? redirect : 'follow',
    headers,
    client: parseClient(client[0], client[1], client[2]),
    hops: request.hops,
    body: toBody(request, method, upload),
  };
  const aborted = new AbortController();
  const download = new Download(exchange);
  const answer =
    request.hosts === undefined
      ? egress.fetch(outbound, aborted.signal)
      : request.hosts.then((hosts) => egress.fetch({ ...outbound, hosts }, aborted.signal));
  void answer
    .then(
      (response) => {
        if (response.connection === undefined) return download.send(response);
        const { ws, socket } = response.connection;
        exchange.respond(response.status, toHead(response), undefined, false);
        request.onOpen?.();
        session = new WebSocketSession(ws, socket, { exchange, onEnd: () => request.onClose?.() });
        return undefined;
      },
      (error: unknown) => exchange.reset(RESET_CODES.internal, toMessage(error)),
    )
    .finally(request.onEnd);
  return {
    onData: (chunk) => (session ?? upload).onData(chunk),
    onEnd: () => upload.end(),
    onDrain: () => (session ?? download).onDrain(),
    onReset: (code) => {
      if (session !== undefined) return session.onReset(code);
      upload.fail();
      aborted.abort();
      download.onDrain();
    },
  };
}

/** The request's body, on its way from the exchange. Credit goes back as the network takes it. */
class Upload {
  readonly #exchange: Exchange;
  readonly #queue: Buffer[] = [];
  #bytes: number;
  #state: 'open' | 'ended' | 'failed' = 'open';
  #wake: (() => void) | undefined;

  constructor(exchange: Exchange, first: Buffer, fin: boolean) {
    this.#exchange = exchange;
    this.#bytes = first.byteLength;
    if (first.byteLength > 0) this.#queue.push(first);
    if (fin) this.#state = 'ended';
  }

  onData(chunk: Buffer): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes > MAX_REQUEST_BODY_BYTES) {
      this.#exchange.reset(RESET_CODES.tooLarge, `The request body is longer than ${MAX_REQUEST_BODY_BYTES} bytes`);
      this.fail();
      return;
    }
    this.#queue.push(chunk);
    this.#wake?.();
  }

  end(): void {
    this.#state = 'ended';
    this.#wake?.();
  }

  fail(): void {
    this.#state = 'failed';
    this.#wake?.();
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#state === 'failed') throw new EgressError('The request body broke off');
      const chunk = this.#queue.shift();
      if (chunk !== undefined) {
        yield chunk;
        this.#exchange.grant(chunk.byteLength);
      } else if (this.#state === 'ended') {
        return;
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    }
  }
}

/** The response's body, on its way into the exchange, no faster than its credit. */
class Download {
  readonly #exchange: Exchange;
  #wake: (() => void) | undefined;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  onDrain(): void {
    this.#wake?.();
  }

  async send(response: EgressResponse): Promise<void> {
    const { body } = response;
    try {
      this.#exchange.respond(response.status, toHead(response), undefined, body === undefined);
      for await (const chunk of body ?? []) {
        if (this.#exchange.write(chunk)) continue;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
      if (body !== undefined) this.#exchange.end();
    } catch (error) {
      this.#exchange.reset(RESET_CODES.internal, toMessage(error));
    }
  }
}

/** The exchange of a GET stays open that way too, for the messages of a WebSocket. */
function toBody({ body, fin }: { body: Buffer; fin: boolean }, method: string, upload: Upload): EgressRequest['body'] {
  if (!fin) return method === 'GET' ? undefined : upload.chunks();
  return body.byteLength > 0 ? body : undefined;
}

function toHead({ statusText, url, redirected, headers }: EgressResponse): string {
  return [statusText, url, redirected ? '1' : '0', ...headers].join('\n');
}

function toMessage(error: unknown): string {
  return error instanceof EgressError ? error.message : 'Network connection lost.';
}
