import { createHmac } from 'node:crypto';
import type { AccountId } from '../ids.ts';

export interface Webhook {
  readonly account: AccountId;
  readonly url: string;
  /** The same when it is sent again, also after a restart: for who takes it to know. */
  readonly id: string;
  readonly body: object;
}

export interface WebhooksOptions {
  /** Every account's own key is made of it. */
  readonly key: Uint8Array;
  readonly onFailure: (message: string) => void;
  /** ms since 1970. */
  readonly now: () => number;
  readonly firstRetryMs?: number;
}

const MAX_ATTEMPTS = 11; // ten waits of 1 s, 2 s, 4 s …: 17 min
const FIRST_RETRY_MS = 1_000;
const TIMEOUT_MS = 10_000;
const MAX_PENDING = 1_000; // what comes beyond is told to the operator instead

/**
 * Sends notices to addresses that the operator has set, signed, again until they are answered with 2xx.
 *
 * `x-isola-signature: t=<s since 1970>,v1=<hex>` is the HMAC-SHA-256 of `<t>.<body>` under the account's key.
 */
export class Webhooks implements Disposable {
  readonly #options: WebhooksOptions;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<NodeJS.Timeout>();
  #pending = 0;

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  /** What its notices are signed with: for whoever takes them. */
  keyOf(account: AccountId): string {
    return createHmac('sha256', this.#options.key).update(`webhook\n${account}`).digest('hex');
  }

  send(webhook: Webhook): void {
    if (this.#pending >= MAX_PENDING) return this.#fail(webhook, 'too many are waiting');
    this.#pending++;
    void this.#attempt(webhook, 1);
  }

  [Symbol.dispose](): void {
    this.#stop.abort();
    for (const timer of this.#waiting) clearTimeout(timer);
  }

  async #attempt(webhook: Webhook, attempt: number): Promise<void> {
    const reason = await this.#post(webhook);
    if (reason === undefined || this.#stop.signal.aborted) {
      this.#pending--;
      return;
    }
    if (attempt === MAX_ATTEMPTS) {
      this.#pending--;
      return this.#fail(webhook, reason);
    }
    const timer = setTimeout(
      () => {
        this.#waiting.delete(timer);
        void this.#attempt(webhook, attempt + 1);
      },
      (this.#options.firstRetryMs ?? FIRST_RETRY_MS) * 2 ** (attempt - 1),
    );
    timer.unref();
    this.#waiting.add(timer);
  }

  /** Why it was not taken, or undefined. */
  async #post({ account, url, id, body }: Webhook): Promise<string | undefined> {
    const text = JSON.stringify({ id, ...body });
    const at = Math.floor(this.#options.now() / 1000);
    const signature = createHmac('sha256', this.keyOf(account)).update(`${at}.${text}`).digest('hex');
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-isola-event': id,
          'x-isola-signature': `t=${at},v1=${signature}`,
        },
        body: text,
        redirect: 'error',
        signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `it answered ${response.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #fail({ account, url, id }: Webhook, reason: string): void {
    this.#options.onFailure(`Cannot send the notice ${id} of ${account} to ${url}: ${reason}`);
  }
}
