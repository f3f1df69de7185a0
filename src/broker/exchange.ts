/** A cell's outbound fetch: an exchange on one side, the egress on the other. */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import { MAX_REQUEST_BODY_BYTES } from '../limits.ts';
import type { Egress, EgressRequest, EgressResponse } from './egress.ts';
import { EgressError } from './errors.ts';

/**
 * Answers an exchange by a fetch to the network. `head` as the guest's ABI has it:
 * `method\nurl\nredirect\nname\nvalue\n…`; the answer's head is `statusText\nurl\nredirected(0|1)\nname\nvalue\n…`.
 * `onEnd` hears when it is over, however.
 */
export function serveFetch(
  egress: Egress,
  exchange: Exchange,
  request: { head: string; body: Buffer; fin: boolean; onEnd?: () => void },
): ExchangeEvents {
  const upload = new Upload(exchange, request.body, request.fin);
  const [method = '', url = '', redirect = '', ...headers] = request.head.split('\n');
  const outbound: EgressRequest = {
    method,
    url,
    redirect: redirect === 'manual' || redirect === 'error' ? redirect : 'follow',
    headers,
    body: request.fin ? (request.body.byteLength > 0 ? request.body : undefined) : upload.chunks(),
  };
  const aborted = new AbortController();
  const download = new Download(exchange);
  void egress
    .fetch(outbound, aborted.signal)
    .then(
      (response) => download.send(response),
      (error: unknown) => exchange.reset(RESET_CODES.internal, toMessage(error)),
    )
    .finally(request.onEnd);
  return {
    onData: (chunk) => upload.push(chunk),
    onEnd: () => upload.end(),
    onDrain: () => download.drained(),
    onReset: () => {
      upload.fail();
      aborted.abort();
      download.drained();
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

  push(chunk: Buffer): void {
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

  drained(): void {
    this.#wake?.();
  }

  async send(response: EgressResponse): Promise<void> {
    const { statusText, url, redirected, headers, body } = response;
    const head = [statusText, url, redirected ? '1' : '0', ...headers].join('\n');
    try {
      this.#exchange.respond(response.status, head, undefined, body === undefined);
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

function toMessage(error: unknown): string {
  return error instanceof EgressError ? error.message : 'Network connection lost.';
}
