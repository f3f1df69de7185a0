/** `env.ASSETS.fetch()`: an exchange on one side, the files of the Worker's version on the other. */
import { STATUS_CODES } from 'node:http';
import type { OpenBlob } from '../blob-file.ts';
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import type { Sha256 } from '../ids.ts';
import { Pump } from './pump.ts';
import { type AssetBody, respond } from './respond.ts';
import type { Site } from './site.ts';

const WHOLE_BYTES = 64 * 1024; // what is sent with the head
const REQUEST_FIELDS = ['if-none-match', 'range', 'if-range', 'authorization', 'sec-fetch-mode'] as const;

export interface AssetSource {
  /** Throws when there is none. */
  readonly site: () => Promise<Site>;
  readonly open: (sha256: Sha256) => Promise<OpenBlob | undefined>;
}

/** `head`: `method\nurl\nname\nvalue…`. `onEnd` hears when it is over, however. */
export function serveAssets(
  source: AssetSource,
  exchange: Exchange,
  request: { readonly head: string; readonly fin: boolean; readonly onEnd: () => void },
): ExchangeEvents {
  const answering = new Answering(source, exchange, request);
  void answering.run();
  return answering;
}

class Answering implements ExchangeEvents {
  readonly #source: AssetSource;
  readonly #exchange: Exchange;
  readonly #head: string;
  readonly #fin: boolean;
  readonly #onEnd: () => void;
  #pump: Pump | undefined;
  #over = false;

  constructor(
    source: AssetSource,
    exchange: Exchange,
    { head, fin, onEnd }: { readonly head: string; readonly fin: boolean; readonly onEnd: () => void },
  ) {
    this.#source = source;
    this.#exchange = exchange;
    this.#head = head;
    this.#fin = fin;
    this.#onEnd = onEnd;
  }

  async run(): Promise<void> {
    try {
      await this.#answer();
    } catch {
      this.#exchange.reset(RESET_CODES.internal, 'The assets cannot be read.');
      this.#finish();
    }
  }

  // Nobody reads the body of a request for a file.
  onData(): void {}

  onEnd(): void {}

  onDrain(): void {
    this.#pump?.resume();
  }

  onReset(): void {
    this.#pump?.stop();
    this.#finish();
  }

  async #answer(): Promise<void> {
    const { method, url, fields } = parseRequest(this.#head);
    const site = await this.#source.site();
    if (this.#over) return;
    const answer = site.fetch({
      method,
      scheme: url.protocol.slice(0, -1),
      host: url.host,
      path: `${url.pathname}${url.search}`,
      isNavigation: fields.get('sec-fetch-mode') === 'navigate',
    });
    const { status, headers, body } = respond(answer, {
      method,
      ifNoneMatch: fields.get('if-none-match'),
      range: fields.get('range'),
      ifRange: fields.get('if-range'),
      authorization: fields.get('authorization'),
    });
    const head = [STATUS_CODES[status] ?? '', ...headers].join('\n');
    if (body === undefined) this.#send(status, head, undefined);
    else await this.#sendFile(status, head, body);
  }

  async #sendFile(status: number, head: string, { file, start, end }: AssetBody): Promise<void> {
    const blob = await this.#source.open(file.sha256);
    if (blob === undefined) throw new Error(`Cannot read blob ${file.sha256}: it is not there`);
    if (this.#over) return void blob.close();
    if (end - start <= WHOLE_BYTES) {
      const bytes = await blob.read(start, end - start).finally(() => blob.close());
      if (bytes.byteLength !== end - start) throw new Error(`Cannot read blob ${file.sha256}: it is too short`);
      if (!this.#over) this.#send(status, head, bytes);
      return;
    }
    this.#exchange.respond(status, head, undefined, false);
    this.#pump = new Pump(
      blob,
      { start, end },
      {
        write: (chunk) => this.#exchange.write(chunk),
        end: () => {
          this.#exchange.end();
          this.#finish();
        },
        fail: () => {
          this.#exchange.reset(RESET_CODES.internal, 'The file cannot be read.');
          this.#finish();
        },
      },
    );
    this.#pump.resume();
  }

  #send(status: number, head: string, body: Uint8Array | undefined): void {
    this.#exchange.respond(status, head, body, true);
    if (!this.#fin) this.#exchange.reset(RESET_CODES.none, 'not wanted any more');
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#onEnd();
  }
}

function parseRequest(head: string): { method: string; url: URL; fields: ReadonlyMap<string, string> } {
  const [method = '', url = '', ...lines] = head.split('\n');
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const name = (lines[i] ?? '').toLowerCase();
    if (REQUEST_FIELDS.some((known) => known === name)) fields.set(name, lines[i + 1] ?? '');
  }
  return { method, url: new URL(url), fields };
}
