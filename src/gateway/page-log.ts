/**
 * Takes note of the answers that the gateway gave itself, pages of its own and Workers' files, so that their rays can be
 * found in the log like any other. Lines of JSON in pure ASCII, gathered; a flood of them is cut, and says how much.
 */
import { toAsciiJson } from '../ascii-json.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { PageName } from './pages.ts';

const DELAY_MS = 100;
const MAX_LINES = 1_000; // per batch: 10,000 a second
const MAX_ASSET_LINES = 100; // the same of files: a busy site would leave no room for anything else in the log
const MAX_URL = 2_048; // characters of the URL that are kept

export interface PageRecord {
  readonly ray: string;
  readonly status: number;
  readonly page: PageName;
  readonly method: string;
  /** Host header and path, as the client sent them. */
  readonly url: string;
}

export interface AssetRecord {
  readonly ray: string;
  readonly status: number;
  readonly account: AccountId;
  readonly worker: WorkerName;
  readonly version: VersionId;
  readonly method: string;
  readonly url: string;
}

export class PageLog {
  readonly #send: (lines: Uint8Array) => void;
  #lines: string[] = [];
  #dropped = 0;
  #assets = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(send: (lines: Uint8Array) => void) {
    this.#send = send;
  }

  add({ url, ...record }: PageRecord): void {
    this.#timer ??= setTimeout(() => this.flush(), DELAY_MS);
    if (this.#lines.length >= MAX_LINES) this.#dropped++;
    else this.#push({ ...record, event: 'page', at: Date.now(), url: url.slice(0, MAX_URL) });
  }

  addAsset({ url, ...record }: AssetRecord): void {
    this.#timer ??= setTimeout(() => this.flush(), DELAY_MS);
    if (++this.#assets > MAX_ASSET_LINES) return;
    this.#push({ ...record, event: 'asset', at: Date.now(), url: url.slice(0, MAX_URL) });
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#dropped > 0) this.#push({ event: 'pages-dropped', at: Date.now(), count: this.#dropped });
    const unlisted = this.#assets - MAX_ASSET_LINES;
    if (unlisted > 0) this.#push({ event: 'assets-dropped', at: Date.now(), count: unlisted });
    if (this.#lines.length > 0) this.#send(Buffer.from(this.#lines.join(''), 'latin1'));
    this.#lines = [];
    this.#dropped = 0;
    this.#assets = 0;
  }

  #push(record: object): void {
    this.#lines.push(`${toAsciiJson(record)}\n`);
  }
}
