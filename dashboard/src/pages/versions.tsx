/** The past of a Worker: its versions, with the way back to each, and its deployments. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { ApiError, call, toPath } from '../api/client.ts';
import { toShortId } from '../ui/format.ts';
import { useAction } from '../ui/load.ts';
import { Card, Failure, Table, Time } from '../ui/parts.tsx';
import type { ReleaseProps } from './roll-out.tsx';

const SECRETS_CHANGED = 10_220; // code of the API: going back would bring old values back

export function Versions(props: ReleaseProps & { mayWrite: boolean }): JSX.Element {
  const { account, name, versions, deployments, onChanged, mayWrite } = props;
  const { run, isRunning, error } = useAction();
  const [pending, setPending] = useState<string>();
  const shares = new Map(deployments[0]?.versions.map(({ version_id, percentage }) => [version_id, percentage]));
  const rollBack = async (version_id: string, force: boolean): Promise<void> => {
    setPending(version_id);
    await call(toPath`/accounts/${account}/workers/scripts/${name}/isola/rollback`, {
      method: 'POST',
      body: { version_id, message: 'Rolled back in the dashboard', force },
    });
    onChanged();
  };
  const mayForce = error instanceof ApiError && error.code === SECRETS_CHANGED && pending !== undefined;
  return (
    <Card title="Versions">
      <Failure error={error} />
      {mayForce && (
        <button type="button" disabled={isRunning} onClick={() => run(() => rollBack(pending, true))}>
          Roll back all the same, with the old secrets
        </button>
      )}
      <Table label="Versions" head={['Version', 'Made', 'By', 'Message', 'Handlers', 'Traffic', 'Go back']}>
        {versions.map(({ id, number, metadata, annotations, resources }) => (
          <tr key={id}>
            <th scope="row">
              #{number} <code title={id}>{toShortId(id)}</code>
            </th>
            <td>
              <Time at={metadata.created_on} />
            </td>
            <td>
              {metadata.author_email} ({metadata.source})
            </td>
            <td class="text">{annotations['workers/message'] ?? annotations['workers/triggered_by'] ?? ''}</td>
            <td>{resources.script.handlers.join(', ')}</td>
            <td class="number">{shares.get(id) ?? 0} %</td>
            <td>
              {mayWrite && shares.get(id) !== 100 && (
                <button type="button" disabled={isRunning} onClick={() => run(() => rollBack(id, false))}>
                  Roll back to <span>#{number}</span>
                </button>
              )}
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

export function Deployments({ deployments }: ReleaseProps): JSX.Element {
  return (
    <Card title="Deployments">
      <Table label="Deployments" head={['At', 'By', 'Message', 'Shares']}>
        {deployments.map(({ id, created_on, author_email, source, annotations, versions }) => (
          <tr key={id}>
            <td>
              <Time at={created_on} />
            </td>
            <td>
              {author_email} ({source})
            </td>
            <td class="text">{annotations['workers/message'] ?? annotations['workers/triggered_by'] ?? ''}</td>
            <td>
              {versions.map(({ version_id, percentage }) => `${percentage} % ${toShortId(version_id)}`).join(', ')}
            </td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}
