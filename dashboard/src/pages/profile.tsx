/** A CPU profile of a Worker while it serves: as a flame graph, as a list of functions, and as a file. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { type SampledProfile, toFrames, toHottest } from '../../../src/profiles/frames.ts';
import { call, toPath } from '../api/client.ts';
import { FlameGraph } from '../charts/flame-graph.tsx';
import { toMicros, toShortId } from '../ui/format.ts';
import { useAction } from '../ui/load.ts';
import { Card, Failure, Table } from '../ui/parts.tsx';

const SECONDS = [2, 10, 30];
const HOTTEST = 20;

interface Taken {
  readonly version: string;
  readonly profile: SampledProfile;
}

interface PaneProps {
  readonly account: string;
  readonly name: string;
  readonly mayWrite: boolean;
}

export function ProfilePane({ account, name, mayWrite }: PaneProps): JSX.Element {
  const [seconds, setSeconds] = useState(10);
  const [taken, setTaken] = useState<Taken>();
  const { run, isRunning, error } = useAction();
  const take = async (): Promise<void> => {
    const path = toPath`/accounts/${account}/workers/scripts/${name}/isola/profile?seconds=${String(seconds)}`;
    setTaken(await call<Taken>(path, { method: 'POST' }));
  };
  return (
    <Card title="CPU profile">
      <p class="muted">
        Requests go to a process of their own for as long as it takes, and what they compute there is sampled.
      </p>
      <div class="row">
        <label>
          Seconds
          <select value={seconds} onChange={({ currentTarget }) => setSeconds(Number(currentTarget.value))}>
            {SECONDS.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <button type="button" class="main" disabled={isRunning || !mayWrite} onClick={() => run(take)}>
          Profile live requests
        </button>
        {isRunning && <Progress seconds={seconds} />}
      </div>
      <Failure error={error} />
      {taken !== undefined && <Profile taken={taken} name={name} />}
    </Card>
  );
}

/** The server answers when the time is over. */
function Progress({ seconds }: { seconds: number }): JSX.Element {
  const [passed, setPassed] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setPassed((before) => before + 1), 1_000);
    return () => clearInterval(timer);
  }, []);
  return <progress aria-label="Profiling" max={seconds} value={Math.min(passed, seconds)} />;
}

function Profile({ taken: { version, profile }, name }: { taken: Taken; name: string }): JSX.Element {
  const { root, idleUs } = toFrames(profile);
  if (root.totalUs === 0) return <p>Nothing ran: the Worker was not asked for anything.</p>;
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
        Version <code>{toShortId(version)}</code>: {toMicros(root.totalUs)} of CPU, {toMicros(idleUs)} without work.{' '}
        <button type="button" onClick={download}>
          Download .cpuprofile
        </button>
      </p>
      <FlameGraph key={version} root={root} />
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
