/** A Worker at rest: where it answers, what serves, what it is bound to, and its past. */
import type { JSX } from 'preact';
import { call, toPath } from '../api/client.ts';
import type { Binding, Deployment, Domain, Route, Schedule, Version, Worker } from '../api/types.ts';
import { useLoad } from '../ui/load.ts';
import { Card, LoadedView, Table } from '../ui/parts.tsx';
import { RollOut } from './roll-out.tsx';
import { Deployments, Versions } from './versions.tsx';

interface OverviewProps {
  readonly account: string;
  readonly worker: Worker;
  readonly mayWrite: boolean;
}

interface Details {
  readonly versions: readonly Version[];
  readonly deployments: readonly Deployment[];
  readonly routes: readonly Route[];
  readonly domains: readonly Domain[];
  readonly schedules: readonly Schedule[];
}

async function loadDetails(account: string, name: string, signal: AbortSignal): Promise<Details> {
  const path = toPath`/accounts/${account}/workers/scripts/${name}`;
  const [versions, deployments, routes, domains, schedules] = await Promise.all([
    call<{ items: Version[] }>(`${path}/versions`, { signal }),
    call<{ deployments: Deployment[] }>(`${path}/deployments`, { signal }),
    call<Route[]>(`${path}/routes`, { signal }),
    call<Domain[]>(`${toPath`/accounts/${account}/workers/domains`}?service=${encodeURIComponent(name)}`, { signal }),
    call<{ schedules: Schedule[] }>(`${path}/schedules`, { signal }),
  ]);
  return { versions: versions.items, ...deployments, routes, domains, ...schedules };
}

export function Overview({ account, worker, mayWrite }: OverviewProps): JSX.Element {
  const { name } = worker;
  const details = useLoad(`details ${account} ${name}`, (signal) => loadDetails(account, name, signal));
  return (
    <LoadedView of={details}>
      {({ versions, deployments, routes, domains, schedules }) => {
        const serving = versions.find(({ id }) => id === deployments[0]?.versions[0]?.version_id);
        const bindings = (serving ?? versions[0])?.resources.bindings ?? [];
        const shared = { account, name, versions, deployments, onChanged: details.reload };
        return (
          <>
            <div class="grid">
              <RollOut {...shared} mayWrite={mayWrite} />
              <Where worker={worker} routes={routes} domains={domains} schedules={schedules} />
            </div>
            <div class="grid">
              <Bindings bindings={bindings.filter(({ type }) => type !== 'secret_text')} />
              <Secrets names={bindings.filter(({ type }) => type === 'secret_text').map((binding) => binding.name)} />
            </div>
            <Versions {...shared} mayWrite={mayWrite} />
            <Deployments {...shared} />
          </>
        );
      }}
    </LoadedView>
  );
}

interface WhereProps {
  readonly worker: Worker;
  readonly routes: readonly Route[];
  readonly domains: readonly Domain[];
  readonly schedules: readonly Schedule[];
}

function Where({ worker, routes, domains, schedules }: WhereProps): JSX.Element {
  const { enabled, url } = worker.subdomain;
  return (
    <Card title="Where it answers">
      <ul>
        {enabled && (
          <li>
            <a href={`${url}/`} target="_blank" rel="noopener noreferrer">
              {url}
            </a>
          </li>
        )}
        {routes.map(({ id, pattern }) => (
          <li key={id}>
            <code>{pattern}</code> (route)
          </li>
        ))}
        {domains.map(({ id, hostname }) => (
          <li key={id}>
            <code>{hostname}</code> (custom domain)
          </li>
        ))}
        {schedules.map(({ cron }) => (
          <li key={cron}>
            <code>{cron}</code> (cron trigger, UTC)
          </li>
        ))}
      </ul>
      {!enabled && <p class="muted">Its default URL is switched off.</p>}
    </Card>
  );
}

function Bindings({ bindings }: { bindings: readonly Binding[] }): JSX.Element {
  return (
    <Card title="Bindings">
      {bindings.length === 0 ? (
        <p class="muted">None.</p>
      ) : (
        <Table label="Bindings" head={['Name', 'Type', 'Value']}>
          {bindings.map((binding) => (
            <tr key={binding.name}>
              <th scope="row">
                <code>{binding.name}</code>
              </th>
              <td>{binding.type}</td>
              <td class="text">
                <code>{describe(binding)}</code>
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

const MAX_VALUE_CHARS = 200;

function describe({ name: _name, type: _type, ...rest }: Binding): string {
  const value = Object.entries(rest)
    .map(([key, content]) => `${key}: ${typeof content === 'string' ? content : JSON.stringify(content)}`)
    .join(', ');
  return value.length > MAX_VALUE_CHARS ? `${value.slice(0, MAX_VALUE_CHARS)}…` : value;
}

function Secrets({ names }: { names: readonly string[] }): JSX.Element {
  return (
    <Card title="Secrets">
      {names.length === 0 ? (
        <p class="muted">None. Set one: wrangler secret put &lt;NAME&gt;</p>
      ) : (
        <ul>
          {names.map((name) => (
            <li key={name}>
              <code>{name}</code>
            </li>
          ))}
        </ul>
      )}
      <p class="muted">Names only: no value leaves the platform.</p>
    </Card>
  );
}
