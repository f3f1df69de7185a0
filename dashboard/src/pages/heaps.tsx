/** The heaps of a Worker's live instances, in all cells. */
import type { JSX } from 'preact';
import { call, toPath } from '../api/client.ts';
import { toBytes, toShortId } from '../ui/format.ts';
import { useLoad } from '../ui/load.ts';
import { Card, LoadedView, Table } from '../ui/parts.tsx';

interface Heap {
  readonly cell: string;
  readonly version: string;
  readonly held_bytes: number;
  readonly used_heap_bytes: number | null;
  readonly heap_limit_bytes: number | null;
  readonly external_bytes: number | null;
}

export function Heaps({ account, name }: { readonly account: string; readonly name: string }): JSX.Element {
  const path = toPath`/accounts/${account}/workers/scripts/${name}/isola/heap`;
  const heaps = useLoad(path, (signal) => call<Heap[]>(path, { signal }));
  const toSize = (bytes: number | null): string => (bytes === null ? '–' : toBytes(bytes));
  return (
    <Card
      title="Heaps"
      actions={
        <button type="button" onClick={heaps.reload}>
          Look again
        </button>
      }
    >
      <LoadedView of={heaps}>
        {(all) =>
          all.length === 0 ? (
            <p class="muted">No instance is live.</p>
          ) : (
            <Table
              label="Heaps"
              numbers={4}
              head={['Cell', 'Version', 'Held', 'Heap in use', 'Limit', 'Outside the heap']}
            >
              {all.map((heap, index) => (
                <tr key={index}>
                  <td>{heap.cell}</td>
                  <td>
                    <code>{toShortId(heap.version)}</code>
                  </td>
                  <td class="number">{toBytes(heap.held_bytes)}</td>
                  <td class="number">{toSize(heap.used_heap_bytes)}</td>
                  <td class="number">{toSize(heap.heap_limit_bytes)}</td>
                  <td class="number">{toSize(heap.external_bytes)}</td>
                </tr>
              ))}
            </Table>
          )
        }
      </LoadedView>
    </Card>
  );
}
