/** Peers under the same load in turn: the rounds alternate, so that a noisy moment of the machine hits all alike. */
import type { Context } from '../lib/context.ts';
import { runLoad, type LoadResult, type Target } from '../lib/load.ts';
import { cpuUs } from '../lib/proc.ts';
import { row, type PeerName, type Row } from '../lib/report.ts';
import { median } from '../lib/stats.ts';

export interface Side {
  readonly targets: readonly Target[];
  readonly pids: () => number[];
  /** The same processes by what they do, where the peer has several: their CPU time is then told apart. */
  readonly pidsByRole?: () => Readonly<Record<string, readonly number[]>>;
}

export interface Compared {
  readonly rows: readonly Row[];
  /** CPU of all server processes per request in µs, median of the rounds. */
  readonly cpuUs: Row['values'];
}

interface Round extends LoadResult {
  readonly cpuUsPerRequest: number;
  /** In µs a request. */
  readonly cpuUsByRole: Readonly<Record<string, number>>;
}

/**
 * The same sides at a load that they are not to be worn out by: so many requests a second. `answered` tells whether they kept
 * up; where they did not, the latencies grow with the length of the round.
 */
export async function compareAtRate(
  context: Context,
  sides: ReadonlyMap<PeerName, Side>,
  { connections, rate }: { connections: number; rate: number },
): Promise<Readonly<Record<'answered' | 'p50Ms' | 'p99Ms', Row['values']>>> {
  const rounds = new Map<PeerName, Round[]>();
  for (let count = 0; count < (context.quick ? 1 : 4); count += 1) {
    for (const [name, side] of sides) {
      const round = await loadRound(side, { connections, rate, seconds: context.quick ? 2 : 3, name });
      rounds.set(name, [...(rounds.get(name) ?? []), round]);
      context.log(`${name}, ${rate}/s: p50 ${round.p50Ms.toFixed(1)} ms, p99 ${round.p99Ms.toFixed(1)} ms`);
    }
  }
  const medians = (of: (round: Round) => number): Row['values'] =>
    Object.fromEntries([...rounds].map(([name, samples]) => [name, median(samples.map(of))]));
  return {
    answered: medians((round) => Math.round(round.requests / round.seconds)),
    p50Ms: medians((round) => round.p50Ms),
    p99Ms: medians((round) => round.p99Ms),
  };
}

/** A warm-up round each, then rounds in turn. Throws when answers failed: figures of failures mislead. */
export async function compareUnderLoad(
  context: Context,
  sides: ReadonlyMap<PeerName, Side>,
  connections: number,
): Promise<Compared> {
  const rounds = new Map<PeerName, Round[]>();
  for (const [name, side] of sides) await loadRound(side, { connections, seconds: 1, name });
  for (let count = 0; count < (context.quick ? 1 : 4); count += 1) {
    for (const [name, side] of sides) {
      const round = await loadRound(side, { connections, seconds: context.quick ? 2 : 3, name });
      rounds.set(name, [...(rounds.get(name) ?? []), round]);
      const perSecond = Math.round(round.requests / round.seconds);
      context.log(`${name}: ${perSecond}/s, ${round.cpuUsPerRequest.toFixed(1)} µs CPU a request`);
    }
  }
  const summary = (of: (round: Round) => number, sum: (samples: readonly number[]) => number = median): Row['values'] =>
    Object.fromEntries([...rounds].map(([name, samples]) => [name, sum(samples.map(of))]));
  return {
    rows: [
      row(
        'requests per second',
        '1/s',
        summary((round) => Math.round(round.requests / round.seconds)),
      ),
      row(
        'latency p50',
        'ms',
        summary((round) => round.p50Ms),
      ),
      row(
        'latency p99',
        'ms',
        summary((round) => round.p99Ms),
      ),
      row(
        'CPU per request, best round',
        'µs',
        summary(
          (round) => round.cpuUsPerRequest,
          (samples) => Math.min(...samples),
        ),
      ),
      ...roleRows(rounds),
    ],
    cpuUs: summary((round) => round.cpuUsPerRequest),
  };
}

function roleRows(rounds: ReadonlyMap<PeerName, readonly Round[]>): Row[] {
  return [...rounds].flatMap(([name, samples]) =>
    Object.keys(samples[0]?.cpuUsByRole ?? {}).map((role) =>
      row(`of this in the ${role}, median`, 'µs', {
        [name]: median(samples.map((round) => round.cpuUsByRole[role] ?? 0)),
      }),
    ),
  );
}

async function loadRound(
  side: Side,
  { name, ...load }: { connections: number; seconds: number; rate?: number; name: PeerName },
): Promise<Round> {
  const before = cpuUs(side.pids());
  const beforeByRole = cpuUsByRole(side);
  const result = await runLoad({ targets: side.targets, ...load });
  const spent = cpuUs(side.pids()) - before;
  if (result.requests === 0 || result.failed > result.requests / 1000) {
    throw new Error(`${name}: ${result.failed} of ${result.requests} requests failed under load`);
  }
  const byRole = Object.entries(cpuUsByRole(side)).map(([role, us]) => [
    role,
    (us - (beforeByRole[role] ?? 0)) / result.requests,
  ]);
  return { ...result, cpuUsPerRequest: spent / result.requests, cpuUsByRole: Object.fromEntries(byRole) };
}

function cpuUsByRole({ pidsByRole }: Side): Record<string, number> {
  return Object.fromEntries(Object.entries(pidsByRole?.() ?? {}).map(([role, pids]) => [role, cpuUs(pids)]));
}
