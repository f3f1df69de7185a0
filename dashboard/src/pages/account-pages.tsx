/** Which page of an account. */
import type { JSX } from 'preact';
import type { Session } from '../api/types.ts';
import { CellsPage } from './cells.tsx';
import { LogsPage } from './logs.tsx';
import { UsagePage } from './usage.tsx';
import { NewWorkerPage, WorkerPage } from './worker.tsx';
import { WorkersPage } from './workers.tsx';

interface AccountPagesProps {
  readonly account: string;
  /** Of the path, below the account. */
  readonly parts: readonly string[];
  readonly session: Session;
}

export function AccountPages({ account, parts, session }: AccountPagesProps): JSX.Element {
  const [section = 'workers', name, tab] = parts;
  if (section === 'new') return <NewWorkerPage account={account} />;
  if (section === 'usage') return <UsagePage account={account} />;
  if (section === 'logs') return <LogsPage account={account} />;
  if (section === 'cells') return <CellsPage account={account} />;
  if (name === undefined) return <WorkersPage account={account} />;
  return <WorkerPage key={name} account={account} name={name} tab={tab ?? 'overview'} session={session} />;
}
