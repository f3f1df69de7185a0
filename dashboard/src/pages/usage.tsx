/** What an account has used, over time and by Worker, and what it costs. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError, call, toPath } from '../api/client.ts';
import type { Usage, UsageStep, UsageTotals } from '../api/watching.ts';
import { Chart } from '../charts/chart.tsx';
import { toSeries, type UsagePoint } from '../charts/usage-series.ts';
import { toBytes, toCount, toMicros } from '../ui/format.ts';
import { useLoad } from '../ui/load.ts';
import { Card, LoadedView, Table } from '../ui/parts.tsx';
import { CostView } from './cost.tsx';

const EVERY_MS = 5_000;
const BAD_REQUEST = 400;
const PERIODS: readonly (readonly [UsageStep, string])[] = [
  ['minute', 'The last hour, by minute'],
  ['hour', 'The last day, by hour'],
  ['day', 'This month, by day'],
  ['month', 'This year, by month'],
];

export function UsagePage({ account }: { account: string }): JSX.Element {
  const [by, setBy] = useState<UsageStep>('hour');
  const [worker, setWorker] = useState('');
  const path = toPath`/accounts/${account}/isola/usage?by=${by}`;
  const usage = useLoad(path, (signal) => loadUsage(path, signal), { everyMs: EVERY_MS });
  return (
    <>
      <h1>Usage &amp; cost</h1>
      <label>
        Period, in UTC
        <select value={by} onChange={({ currentTarget }) => setBy(currentTarget.value as UsageStep)}>
          {PERIODS.map(([step, title]) => (
            <option key={step} value={step}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <LoadedView of={usage}>{(found) => <UsageView usage={found} worker={worker} onWorker={setWorker} />}</LoadedView>
      <CostView account={account} />
    </>
  );
}

/** By Worker, unless there are more than the server tells apart. */
async function loadUsage(path: string, signal: AbortSignal): Promise<Usage> {
  try {
    return await call<Usage>(path, { signal });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== BAD_REQUEST) throw error;
    return await call<Usage>(`${path}&merged=true`, { signal });
  }
}

interface UsageViewProps {
  readonly usage: Usage;
  readonly worker: string;
  readonly onWorker: (worker: string) => void;
}

function UsageView({ usage, worker, onWorker }: UsageViewProps): JSX.Element {
  const workers = [...new Set(usage.rows.map((row) => row.worker))].toSorted();
  const isMerged = workers.includes('');
  const points = toSeries(usage, isMerged ? '' : worker);
  const times = points.map(({ time }) => time / 1_000);
  const charts = [
    { title: 'Requests', colour: 'link', of: (point: UsagePoint) => point.requests, toText: toCount },
    { title: 'Errors', colour: 'bad', of: (point: UsagePoint) => point.errors, toText: toCount },
    { title: 'CPU time', colour: 'link', of: (point: UsagePoint) => point.cpuUs, toText: toMicros },
    { title: 'Cold starts', colour: 'good', of: (point: UsagePoint) => point.coldStarts, toText: toCount },
  ] as const;
  return (
    <>
      {isMerged ? (
        <p class="muted">
          These are more Workers than can be told apart here. By month they can: <code>isola usage --by month</code>
        </p>
      ) : (
        <label>
          Worker
          <select value={worker} onChange={({ currentTarget }) => onWorker(currentTarget.value)}>
            <option value="">all of them</option>
            {workers.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      )}
      <Figures totals={usage.totals} />
      <div class="grid">
        {charts.map(({ title, colour, of, toText }) => (
          <Chart key={title} title={title} colour={colour} times={times} values={points.map(of)} toText={toText} />
        ))}
      </div>
      <details class="card">
        <summary>The charts as a table</summary>
        <Table label="Usage over time" numbers={4} head={['UTC', 'Requests', 'Errors', 'CPU time', 'Cold starts']}>
          {points.map((point) => (
            <tr key={point.time}>
              <th scope="row">{new Date(point.time).toISOString().slice(0, 16).replace('T', ' ')}</th>
              <td class="number">{toCount(point.requests)}</td>
              <td class="number">{toCount(point.errors)}</td>
              <td class="number">{toMicros(point.cpuUs)}</td>
              <td class="number">{toCount(point.coldStarts)}</td>
            </tr>
          ))}
        </Table>
      </details>
      {!isMerged && <ByWorker usage={usage} />}
    </>
  );
}

/** Of all Workers, for the whole period. */
function Figures({ totals }: { totals: UsageTotals }): JSX.Element {
  const figures = [
    ['Requests', toCount(totals.requests)],
    ['Errors', toCount(totals.errors)],
    ['CPU time', toMicros(totals.cpu_us + totals.start_cpu_us)],
    ['Time in all', toMicros(totals.wall_us)],
    ['Cold starts', toCount(totals.cold_starts)],
    ['Sent', toBytes(totals.bytes_out)],
  ];
  return (
    <dl class="figures">
      {figures.map(([title, value]) => (
        <div key={title}>
          <dt>{title}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function ByWorker({ usage: { rows } }: { usage: Usage }): JSX.Element {
  const sums = new Map<string, { requests: number; errors: number; cpuUs: number; wallUs: number }>();
  for (const row of rows) {
    const sum = sums.get(row.worker) ?? { requests: 0, errors: 0, cpuUs: 0, wallUs: 0 };
    sums.set(row.worker, {
      requests: sum.requests + row.requests,
      errors: sum.errors + row.errors,
      cpuUs: sum.cpuUs + row.cpu_us + row.start_cpu_us,
      wallUs: sum.wallUs + row.wall_us,
    });
  }
  const sorted = [...sums].toSorted(([, a], [, b]) => b.cpuUs - a.cpuUs);
  return (
    <Card title="By Worker">
      {sorted.length === 0 ? (
        <p class="muted">No Worker was used in this time.</p>
      ) : (
        <Table label="Usage by Worker" numbers={4} head={['Worker', 'Requests', 'Errors', 'CPU time', 'Time in all']}>
          {sorted.map(([worker, { requests, errors, cpuUs, wallUs }]) => (
            <tr key={worker}>
              <th scope="row">{worker}</th>
              <td class="number">{toCount(requests)}</td>
              <td class="number">{toCount(errors)}</td>
              <td class="number">{toMicros(cpuUs)}</td>
              <td class="number">{toMicros(wallUs)}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}
