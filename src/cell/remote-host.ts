/** The cell's host when it is a process of its own: everything goes through the channel to the supervisor. */
import type { Channel, Exchange, ExchangeEvents } from '../channel/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import type { InvocationRecord, StartRecord, VersionCode } from '../model.ts';
import { Meter, type MeteringTurn } from '../usage/index.ts';
import { SpanBatch, type WireSpan } from '../trace-context.ts';
import type { CellHost, FetchPrincipal, Principal } from './host.ts';
import type { Deployed, TailedWorkersMessage } from './protocol.ts';
import { LogBudgets } from './log-budgets.ts';
import { RecordBatch } from './record-batch.ts';
import { TailedWorkers } from './tailed-workers.ts';
import { type Resource, toResourceHead } from './resources.ts';
import { type VersionHeader, fromVersionMessage } from './version-transfer.ts';

export class RemoteHost implements CellHost {
  readonly ownMeter = new Meter();
  /** Undefined in turns without metering, of which there are none but in the bench. */
  meter: Meter | undefined = this.ownMeter;
  #isRecorded = true;
  readonly #channel: Channel;
  readonly #records: RecordBatch;
  readonly #budgets = new LogBudgets();
  readonly #spans: SpanBatch;
  readonly #tailed = new TailedWorkers();
  /** Which version answers calls to a Worker, for those that were asked for. */
  readonly #services = new Map<string, Promise<VersionId | undefined>>();

  constructor(channel: Channel) {
    this.#channel = channel;
    this.#spans = new SpanBatch((spans) => channel.notify('spans', spans));
    this.#records = new RecordBatch((kind, lines) => channel.notify('records', kind, lines));
  }

  async loadVersion(id: VersionId): Promise<VersionCode> {
    const { value, payload } = await this.#channel.call('version', { id });
    return fromVersionMessage(value as VersionHeader, payload);
  }

  resolveService(account: AccountId, worker: WorkerName): Promise<VersionId | undefined> {
    const key = `${worker}.${account}`;
    let version = this.#services.get(key);
    if (version === undefined) {
      version = this.#channel
        .call('service', { account, worker })
        .then(({ value }) => (value as { version?: VersionId }).version);
      version.catch(() => this.#services.delete(key));
      this.#services.set(key, version);
    }
    return version;
  }

  /** A deployment changed: later calls go to its version. */
  onDeployed({ account, worker, version }: Deployed): void {
    const key = `${worker}.${account}`;
    if (this.#services.has(key)) this.#services.set(key, Promise.resolve(version));
  }

  openFetch(
    { account, worker, ray, hops }: FetchPrincipal,
    head: string,
    body: Uint8Array | undefined,
    options: { fin: boolean; events: ExchangeEvents },
  ): Exchange {
    return this.#channel.request(`${account}\n${worker}\n${ray}\n${hops}\n${head}`, body, options.fin, options.events);
  }

  openResource(
    principal: Principal,
    question: Resource & { readonly head: string },
    body: Uint8Array | undefined,
    options: { fin: boolean; events: ExchangeEvents },
  ): Exchange {
    const head = toResourceHead({ ...question, ...principal });
    return this.#channel.request(head, body, options.fin, options.events);
  }

  /** These Workers are tailed from here on, and no others. */
  setTailed(workers: TailedWorkersMessage['workers']): void {
    this.#tailed.set(workers);
  }

  admitToTail(record: InvocationRecord): number | undefined {
    return this.#tailed.admit(record, performance.now());
  }

  /** For the bench: what is counted and told from here on. */
  takeTurn(turn: MeteringTurn): void {
    this.meter = turn === 'all' ? this.ownMeter : undefined;
    this.#isRecorded = turn !== 'unrecorded';
  }

  record(record: InvocationRecord): void {
    if (!this.#isRecorded) return;
    // What tails want has a budget of its own.
    const admitted = record.tail === undefined ? this.#budgets.admit(record, performance.now()) : record;
    if (admitted === undefined) this.#records.addCut(record);
    else this.#records.add(admitted);
  }

  recordStart(record: StartRecord): void {
    this.#records.addStart(record);
  }

  readonly onSpan = (span: WireSpan): void => this.#spans.add(span);

  /** Sends what is still gathered. */
  flush(): void {
    this.#spans.flush();
    this.#records.flush();
  }
}
