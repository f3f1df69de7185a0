/** All metrics of the platform as one text, for Prometheus to fetch. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { CellBoard } from './cell-board.ts';
import { writeCells } from './cell-metrics.ts';
import { Exposition } from './exposition.ts';
import { type GatewayNumbers, writeGateway } from './gateway-metrics.ts';
import type { UsageMetrics } from './usage-metrics.ts';

/** Bytes that went over a channel to a cell. */
export interface ChannelBytes {
  readonly cell: string;
  readonly link: 'gateway' | 'supervisor';
  /** From the cell, and to it. */
  readonly received: number;
  readonly sent: number;
}

export interface MetricSources {
  readonly board: Pick<CellBoard, 'hostCalls' | 'records'>;
  readonly gateway: () => Promise<GatewayNumbers>;
  readonly usage: UsageMetrics;
  /** Workers that are kept apart now. */
  readonly quarantined: () => number;
  readonly supervisorLinks: () => readonly ChannelBytes[];
}

const GATEWAY_PATIENCE_MS = 2_000; // a gateway that is too busy to answer must not hide what the others say
const LOOP_RESOLUTION_MS = 50;

export class PlatformMetrics {
  readonly #sources: MetricSources;
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });

  constructor(sources: MetricSources) {
    this.#sources = sources;
    this.#loop.enable();
  }

  async toText(): Promise<string> {
    const out = new Exposition();
    const { board, usage, supervisorLinks } = this.#sources;
    out.metric('isola_build_info', 'gauge', 'Always 1: what it runs on.');
    out.sample('isola_build_info', { node: process.versions.node }, 1);
    this.#writeSupervisor(out);
    out.metric('isola_quarantined_workers', 'gauge', 'Workers that are kept apart from other accounts now.');
    out.sample('isola_quarantined_workers', {}, this.#sources.quarantined());
    const gateway = await this.#askGateway();
    out.metric('isola_gateway_up', 'gauge', '1 when the gateway answered in time.');
    out.sample('isola_gateway_up', {}, gateway === undefined ? 0 : 1);
    if (gateway !== undefined) writeGateway(out, gateway);
    writeCells(out, board);
    usage.write(out);
    writeChannels(out, [...supervisorLinks(), ...(gateway?.cells ?? []).map(toGatewayLink)]);
    return out.toString();
  }

  close(): void {
    this.#loop.disable();
  }

  #writeSupervisor(out: Exposition): void {
    const { user, system } = process.cpuUsage();
    out.metric('isola_supervisor_memory_bytes', 'gauge', 'Resident memory of its process.');
    out.sample('isola_supervisor_memory_bytes', {}, process.memoryUsage.rss());
    out.metric('isola_supervisor_cpu_seconds_total', 'counter', 'CPU time of its process.');
    out.sample('isola_supervisor_cpu_seconds_total', {}, (user + system) / 1e6);
    out.metric(
      'isola_supervisor_queue_delay_seconds',
      'gauge',
      'How late its event loop was since the last scrape, at most.',
    );
    const late = this.#loop.count === 0 ? 0 : this.#loop.max / 1e9 - LOOP_RESOLUTION_MS / 1e3;
    out.sample('isola_supervisor_queue_delay_seconds', {}, Math.max(late, 0));
    this.#loop.reset();
  }

  async #askGateway(): Promise<GatewayNumbers | undefined> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const patience = setTimeout(resolve, GATEWAY_PATIENCE_MS, undefined);
    try {
      return await Promise.race([this.#sources.gateway(), promise]);
    } catch {
      return undefined; // it is on its way out
    } finally {
      clearTimeout(patience);
    }
  }
}

function toGatewayLink({ id, bytesIn, bytesOut }: GatewayNumbers['cells'][number]): ChannelBytes {
  return { cell: id, link: 'gateway', received: bytesIn, sent: bytesOut };
}

function writeChannels(out: Exposition, links: readonly ChannelBytes[]): void {
  const name = 'isola_channel_bytes_total';
  out.metric(name, 'counter', 'Bytes between a cell and the gateway or the supervisor; in is from the cell.');
  for (const { cell, link, received, sent } of links) {
    out.sample(name, { cell, link, direction: 'in' }, received);
    out.sample(name, { cell, link, direction: 'out' }, sent);
  }
}
