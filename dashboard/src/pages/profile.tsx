/** A CPU profile of a live instance as a flame graph and as a file, and the heaps of all of them. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError, call, callRaw, toPath } from '../api/client.ts';
import { type CpuProfile, toFrames, toHottest } from '../charts/cpu-profile.ts';
import { FlameGraph } from '../charts/flame-graph.tsx';
import { toBytes, toMicros, toShortId } from '../ui/format.ts';
import { useAction, useLoad } from '../ui/load.ts';
import { Card, Empty, Failure, LoadedView, Table } from '../ui/parts.tsx';

const SECONDS = ['2', '10', '30'];
const HOTTEST = 20;

interface PaneProps {
  readonly account: string;
  readonly name: string;
}

export function ProfilePane({ account, name }: PaneProps): JSX.Element {
  const [seconds, setSeconds] = useState('10');
  const [profile, setProfile] = useState<CpuProfile>();
  const { run, isRunning, error } = useAction();
  const take = async (): Promise<void> => {
    const path = toPath`/accounts/${account}/workers/scripts/${name}/isola/profile?seconds=${seconds}`;
    const answer = (await (await callRaw(path, { method: 'POST' })).json()) as CpuProfile | { result: CpuProfile };
    setProfile('nodes' in answer ? answer : answer.result);
  };
  const isMissing = error instanceof ApiError && error.status === 404;
  return (
    <>
      <Card title="CPU profile">
        <div class="row">
          <label>
            Seconds
            <select value={seconds} onChange={({ currentTarget }) => setSeconds(currentTarget.value)}>
              {SECONDS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <button type="button" class="main" disabled={isRunning} onClick={() => run(take)}>
            {isRunning ? 'Profiling …' : 'Profile a live instance'}
          </button>
        </div>
        {isMissing ? <Empty title="No profile">{error.message}</Empty> : <Failure error={error} />}
        {profile !== undefined && <Profile profile={profile} name={name} />}
      </Card>
      <Heaps account={account} name={name} />
    </>
  );
}

function Profile({ profile, name }: { profile: CpuProfile; name: string }): JSX.Element {
  const { root, idleUs } = toFrames(profile);
  const download = (): void => {
    const url = URL.createObjectURL(new Blob([JSON.stringify(profile)], { type: 'application/json' }));
    const link = document.createElement('a');
    link.href = url;
    link.download = `${name}.cpuprofile`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <>
      <p>
        {toMicros(root.totalUs)} of CPU, {toMicros(idleUs)} without work.{' '}
        <button type="button" onClick={download}>
          Download .cpuprofile
        </button>
      </p>
      {root.totalUs > 0 && <FlameGraph root={root} />}
      <Table label="Functions by their own time" numbers={1} head={['Function', 'Where', 'Itself']}>
        {toHottest(root, HOTTEST).map(({ name: title, place, selfUs }) => (
          <tr key={`${title} ${place}`}>
            <th scope="row">
              <code>{title}</code>
            </th>
            <td class="text">
              <code>{place}</code>
            </td>
            <td class="number">{toMicros(selfUs)}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}

interface Heap {
  readonly cell: string;
  readonly version: string;
  readonly held_bytes: number;
  readonly used_heap_bytes: number | null;
  readonly heap_limit_bytes: number | null;
  readonly external_bytes: number | null;
}

function Heaps({ account, name }: PaneProps): JSX.Element {
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
      <LoadedView of={heaps} missing={<Empty title="No heap statistics">This server does not give them yet.</Empty>}>
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
