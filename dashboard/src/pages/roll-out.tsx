/** How the traffic is shared, and a slider to share it between the version that serves and another one. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, toPath } from '../api/client.ts';
import type { Deployment, Version } from '../api/types.ts';
import { toShortId } from '../ui/format.ts';
import { useAction } from '../ui/load.ts';
import { Card, Failure } from '../ui/parts.tsx';

export interface ReleaseProps {
  readonly account: string;
  readonly name: string;
  readonly versions: readonly Version[];
  readonly deployments: readonly Deployment[];
  readonly onChanged: () => void;
}

type Shares = Deployment['versions'];

export function RollOut(props: ReleaseProps & { mayWrite: boolean }): JSX.Element {
  const { versions, deployments, mayWrite } = props;
  const shares = deployments[0]?.versions ?? [];
  return (
    <Card title="Traffic">
      {shares.length === 0 ? (
        <p class="muted">No version serves yet.</p>
      ) : (
        <>
          <ul>
            {shares.map(({ version_id, percentage }) => (
              <li key={version_id}>
                <strong>{percentage} %</strong> {toLabel(versions, version_id)}
              </li>
            ))}
          </ul>
          {mayWrite && versions.length > 1 && shares.length <= 2 && <Slider {...props} shares={shares} />}
        </>
      )}
    </Card>
  );
}

function Slider({ account, name, versions, shares, onChanged }: ReleaseProps & { shares: Shares }): JSX.Element {
  const stable = shares[0]?.version_id ?? '';
  const other = shares[1]?.version_id ?? versions.find(({ id }) => id !== stable)?.id ?? '';
  const [target, setTarget] = useState(other);
  const [share, setShare] = useState(shares[1]?.percentage ?? 0);
  const now = JSON.stringify(shares);
  useEffect(() => {
    setTarget(other);
    setShare(shares[1]?.percentage ?? 0);
  }, [now]);
  const { run, isRunning, error } = useAction();
  const apply = async (): Promise<void> => {
    const wanted = [
      { version_id: stable, percentage: 100 - share },
      { version_id: target, percentage: share },
    ];
    await call(toPath`/accounts/${account}/workers/scripts/${name}/deployments`, {
      method: 'POST',
      body: { strategy: 'percentage', versions: wanted.filter(({ percentage }) => percentage > 0) },
    });
    onChanged();
  };
  return (
    <>
      <h3>Gradual roll-out</h3>
      <label>
        Shift traffic to
        <select value={target} onChange={({ currentTarget }) => setTarget(currentTarget.value)}>
          {versions
            .filter(({ id }) => id !== stable)
            .map(({ id }) => (
              <option key={id} value={id}>
                {toLabel(versions, id)}
              </option>
            ))}
        </select>
      </label>
      <label>
        Its share of the traffic, in percent
        <input
          type="range"
          min={0}
          max={100}
          step={1}
          value={share}
          aria-valuetext={`${share} percent`}
          onInput={({ currentTarget }) => setShare(currentTarget.valueAsNumber)}
        />
      </label>
      <p class="share" aria-live="polite">
        <span>
          {toShortId(stable)}: <strong>{100 - share} %</strong>
        </span>
        <span>
          {toShortId(target)}: <strong>{share} %</strong>
        </span>
      </p>
      <button type="button" class="main" disabled={isRunning} onClick={() => run(apply)}>
        Apply the roll-out
      </button>
      <Failure error={error} />
    </>
  );
}

function toLabel(versions: readonly Version[], id: string): string {
  const version = versions.find((one) => one.id === id);
  if (version === undefined) return toShortId(id);
  const message = version.annotations['workers/message'];
  return `#${version.number} ${toShortId(id)}${message === undefined ? '' : ` – ${message}`}`;
}
