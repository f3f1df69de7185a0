/** One Worker: its tabs, and the editor for one that is not there yet. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, toPath } from '../api/client.ts';
import type { Session, Worker } from '../api/types.ts';
import { EditorPane } from '../editor/editor-pane.tsx';
import { goTo, Link, toHref } from '../router.tsx';
import { useLoad } from '../ui/load.ts';
import { LoadedView } from '../ui/parts.tsx';
import { Overview } from './overview.tsx';
import { Heaps } from './heaps.tsx';
import { ProfilePane } from './profile.tsx';
import { TailPane } from './tail.tsx';

interface WorkerPageProps {
  readonly account: string;
  readonly name: string;
  readonly tab: string;
  readonly session: Session;
}

const TABS = [
  ['overview', 'Overview'],
  ['edit', 'Edit & try'],
  ['tail', 'Live tail'],
  ['profile', 'Profile'],
  ['memory', 'Memory'],
] as const;

export function WorkerPage({ account, name, tab, session }: WorkerPageProps): JSX.Element {
  const worker = useLoad(`worker ${account} ${name}`, (signal) =>
    call<Worker>(toPath`/accounts/${account}/workers/workers/${name}`, { signal }),
  );
  const mayWrite = session.scopes.includes('workers:write') || session.scopes.includes('admin');
  return (
    <>
      <h1>{name}</h1>
      <nav class="tabs" aria-label="Of this Worker">
        <ul>
          {TABS.map(([id, title]) => (
            <li key={id}>
              <Link to={toHref('a', account, 'workers', name, id)} isCurrent={tab === id}>
                {title}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {!mayWrite && <p class="muted">Your token lacks the scope workers:write: you can look, and change nothing.</p>}
      <LoadedView of={worker}>
        {(found) => {
          if (tab === 'edit') return <EditorPane account={account} name={name} isNew={false} />;
          if (tab === 'tail') return <TailPane account={account} name={name} />;
          if (tab === 'profile') return <ProfilePane account={account} name={name} mayWrite={mayWrite} />;
          if (tab === 'memory') return <Heaps account={account} name={name} />;
          return <Overview account={account} worker={found} mayWrite={mayWrite} />;
        }}
      </LoadedView>
    </>
  );
}

const NAME_PATTERN = '[a-z0-9]([a-z0-9\\-]*[a-z0-9])?';

export function NewWorkerPage({ account }: { account: string }): JSX.Element {
  const [name, setName] = useState('');
  const isGood = new RegExp(`^${NAME_PATTERN}$`).test(name);
  return (
    <>
      <h1>New Worker</h1>
      <label>
        Name
        <input
          name="name"
          required
          autoComplete="off"
          value={name}
          pattern={NAME_PATTERN}
          placeholder="my-worker"
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <p class="muted">Lower-case letters, digits and hyphens; it becomes part of the Worker's URL.</p>
      <EditorPane
        account={account}
        name={isGood ? name : ''}
        isNew
        onDeployed={() => goTo(toHref('a', account, 'workers', name, 'edit'))}
      />
    </>
  );
}
