import type { RequestEnd } from './client-request.ts';
import type { PageName } from './pages.ts';
import type { GatewayStats } from './protocol.ts';

type Counts = Pick<
  GatewayStats,
  | 'requests'
  | 'statuses'
  | 'badGateway'
  | 'unavailable'
  | 'clientAborts'
  | 'brokenOff'
  | 'malformed'
  | 'active'
  | 'pages'
>;

/** How the gateway's requests have gone so far. */
export class Tally {
  readonly #statuses = [0, 0, 0, 0, 0, 0];
  readonly #pages = new Map<PageName, number>();
  #requests = 0;
  #active = 0;
  #badGateway = 0;
  #unavailable = 0;
  #clientAborts = 0;
  #brokenOff = 0;
  #malformed = 0;

  begun(): void {
    this.#requests++;
    this.#active++;
  }

  finished(end: RequestEnd, status: number): void {
    this.#active--;
    if (end === 'client-gone') {
      this.#clientAborts++;
      return;
    }
    if (end === 'bad-gateway') this.#badGateway++;
    else if (end === 'unavailable') this.#unavailable++;
    else if (end === 'broken-off') this.#brokenOff++;
    const group = end === 'upgraded' ? 1 : (status / 100) | 0;
    this.#statuses[group] = (this.#statuses[group] ?? 0) + 1;
  }

  /** What came on a connection was no HTTP, or came too slowly. */
  malformed(): void {
    this.#malformed++;
  }

  page(name: PageName): void {
    this.#pages.set(name, (this.#pages.get(name) ?? 0) + 1);
  }

  counts(): Counts {
    return {
      requests: this.#requests,
      statuses: [...this.#statuses],
      badGateway: this.#badGateway,
      unavailable: this.#unavailable,
      clientAborts: this.#clientAborts,
      brokenOff: this.#brokenOff,
      malformed: this.#malformed,
      active: this.#active,
      pages: [...this.#pages],
    };
  }
}
