/** Stripe's meter events: https://docs.stripe.com/api/billing/meter-event/create */
import { toAsciiJson } from '../../ascii-json.ts';
import type { Delivery, Reading, UsageExporter } from './exporter.ts';

const TIMEOUT_MS = 30_000;
const MAX_REASON_CHARS = 300;
const HOUR_MS = 3_600_000;
const VERSION = '2025-04-30.basil';
// The request has not left this machine.
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH']);

export interface StripeOptions {
  /** Shown to nobody. */
  readonly key: string;
  /** `https://api.stripe.com`, or a stand-in for it. */
  readonly url: string;
}

export class StripeExporter implements UsageExporter {
  // Stripe promises 24 h at least; one less, for requests that are on their way.
  readonly identifiersKeptMs = 23 * HOUR_MS;
  readonly #key: string;
  readonly #url: URL;

  constructor({ key, url }: StripeOptions) {
    this.#key = key;
    this.#url = new URL('/v1/billing/meter_events', url);
  }

  async send({ identifier, customer, meter, value, at }: Reading, signal: AbortSignal): Promise<Delivery> {
    const body = new URLSearchParams({
      event_name: `isola_${meter}`,
      identifier,
      timestamp: String(at),
      'payload[stripe_customer_id]': customer,
      'payload[value]': String(value),
    });
    // No Idempotency-Key: Stripe would give the same failure again for a day. The identifier does all that is needed.
    const headers = { authorization: `Bearer ${this.#key}`, 'stripe-version': VERSION };
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
    try {
      const response = await fetch(this.#url, { method: 'POST', headers, body, redirect: 'manual', signal: limit });
      const text = (await response.text()).slice(0, 64 * 1024);
      return this.#toDelivery(response.status, text);
    } catch (error) {
      const { code } = (error as { cause?: { code?: string } }).cause ?? {};
      const reason = `no answer (${code ?? (error as Error).name})`;
      return { outcome: code !== undefined && NOT_SENT.has(code) ? 'unavailable' : 'unknown', reason };
    }
  }

  #toDelivery(status: number, text: string): Delivery {
    if (status >= 200 && status < 300) return { outcome: 'taken' };
    const { code, message } = parseError(text);
    // A reading that was sent again after its answer was lost.
    if (status === 400 && /already exists with identifier/.test(message)) return { outcome: 'taken' };
    const said = toAsciiJson(message.replaceAll(this.#key, '…').slice(0, MAX_REASON_CHARS));
    const reason = `${status}${code === '' ? '' : ` ${toAsciiJson(code)}`}: ${said}`;
    if (status >= 500) return { outcome: 'unknown', reason };
    const isOurs = status === 400 || status === 404;
    return { outcome: isOurs ? 'refused' : 'unavailable', reason };
  }
}

function parseError(text: string): { code: string; message: string } {
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    return {
      code: typeof error?.code === 'string' ? error.code.slice(0, 100) : '',
      message: typeof error?.message === 'string' ? error.message : '',
    };
  } catch {
    return { code: '', message: '' };
  }
}
