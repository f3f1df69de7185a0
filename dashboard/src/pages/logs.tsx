import type { JSX } from 'preact';

export function LogsPage({ account }: { account: string }): JSX.Element {
  return <h1>{account}</h1>;
}
