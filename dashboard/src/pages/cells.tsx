/** Every cell with its isolates, a second old at most: as tiles, or as a table. Customers see their own isolates. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, toPath } from '../api/client.ts';
import type { Cell } from '../api/watching.ts';
import { toCordonTitle, toBytes, toCount, toDuration } from '../ui/format.ts';
import { useLoad } from '../ui/load.ts';
import { Card, Empty, LoadedView, Time } from '../ui/parts.tsx';
import { CellTable } from './cell-table.tsx';
import { HeatLegend, Tiles } from './tiles.tsx';

const EVERY_MS = 1_000;

export function CellsPage({ account }: { account: string | undefined }): JSX.Element {
  const [asTable, setAsTable] = useState(false);
  const path = account === undefined ? '/isola/cells' : toPath`/accounts/${account}/isola/cells`;
  const cells = useLoad(path, (signal) => call<Cell[]>(path, { signal }), { everyMs: EVERY_MS });
  return (
    <>
      <h1>{account === undefined ? 'All cells' : 'Cells'}</h1>
      <div class="row">
        <HeatLegend />
        <label class="check">
          <input type="checkbox" checked={asTable} onChange={() => setAsTable(!asTable)} />
          As a table
        </label>
      </div>
      <LoadedView of={cells}>
        {(all) =>
          all.length === 0 ? (
            <Empty title="Nothing is loaded">An isolate appears when a Worker gets its first request.</Empty>
          ) : (
            <>
              {all.map((cell) => (
                <CellCard key={cell.id} cell={cell} asTable={asTable} showsAccount={account === undefined} />
              ))}
              <Events cells={all} />
            </>
          )
        }
      </LoadedView>
    </>
  );
}

interface CellCardProps {
  readonly cell: Cell;
  readonly asTable: boolean;
  readonly showsAccount: boolean;
}

function CellCard({ cell, asTable, showsAccount }: CellCardProps): JSX.Element {
  const { id, pid, cordon, started_at, memory_bytes, spares, evicted_total, isolates } = cell;
  const isDown = pid === null;
  return (
    <Card
      title={`Cell ${id}`}
      actions={
        <span class="muted">
          {isDown && <span class="badge bad">restarting</span>} {toCordonTitle(cordon)}
          {pid !== undefined && pid !== null && `, process ${pid}`}
          {!isDown && `, up for ${toDuration(Date.now() - Date.parse(started_at))}`}
        </span>
      }
    >
      <p class="muted">
        {toCount(isolates.length)} isolates
        {memory_bytes !== undefined && `, ${toBytes(memory_bytes)}`}
        {spares !== undefined && `, ${toCount(spares)} spares`}
        {evicted_total !== undefined && `, ${toCount(evicted_total)} evicted so far`}
      </p>
      {asTable ? (
        <CellTable id={id} isolates={isolates} showsAccount={showsAccount} />
      ) : (
        <Tiles id={id} isolates={isolates} spares={spares ?? 0} showsAccount={showsAccount} />
      )}
    </Card>
  );
}

const MAX_EVENTS = 30;

function Events({ cells }: { cells: readonly Cell[] }): JSX.Element {
  const events = cells
    .flatMap(({ id, events: own }) => own.map((event) => ({ cell: id, ...event })))
    .toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))
    .slice(0, MAX_EVENTS);
  return (
    <Card title="What happened">
      {events.length === 0 ? (
        <p class="muted">No isolate was evicted or quarantined, and no cell restarted.</p>
      ) : (
        <ul>
          {events.map(({ cell, kind, account, worker, at }, index) => (
            <li key={`${at} ${index}`}>
              <span class={`badge ${kind === 'evicted' ? 'muted' : 'bad'}`}>{kind}</span>{' '}
              {worker === undefined ? `cell ${cell}` : `${worker} of ${account ?? ''} in cell ${cell}`}{' '}
              <span class="muted">
                <Time at={at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
