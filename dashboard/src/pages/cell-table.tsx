/** What the tiles show, in rows: the busiest first. */
import type { JSX } from 'preact';
import type { Isolate } from '../api/watching.ts';
import { toBytes, toCount, toDuration, toMicros, toShortId } from '../ui/format.ts';
import { Table } from '../ui/parts.tsx';

const MAX_ROWS = 1_000;

interface CellTableProps {
  readonly id: string;
  readonly isolates: readonly Isolate[];
  readonly showsAccount: boolean;
}

export function CellTable({ id, isolates, showsAccount }: CellTableProps): JSX.Element {
  const rows = isolates
    .toSorted((a, b) => b.cpu_us_last_second - a.cpu_us_last_second || b.memory_bytes - a.memory_bytes)
    .slice(0, MAX_ROWS);
  const head = ['Worker', 'Version', 'Memory', 'CPU, last second', 'Requests, last second', 'Idle', 'Age'];
  return (
    <Table label={`Isolates of cell ${id}`} numbers={5} head={showsAccount ? ['Account', ...head] : head}>
      {rows.map((isolate, index) => (
        <tr key={index}>
          {showsAccount && <td>{isolate.account}</td>}
          <th scope="row">{isolate.worker}</th>
          <td>
            <code>{toShortId(isolate.version)}</code>
          </td>
          <td class="number">{toBytes(isolate.memory_bytes)}</td>
          <td class="number">{toMicros(isolate.cpu_us_last_second)}</td>
          <td class="number">{toCount(isolate.requests_last_second)}</td>
          <td class="number">{toDuration(isolate.idle_ms)}</td>
          <td class="number">{toDuration(isolate.age_ms)}</td>
        </tr>
      ))}
    </Table>
  );
}
