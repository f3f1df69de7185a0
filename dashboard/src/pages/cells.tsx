import type { JSX } from 'preact';

export function CellsPage({ account }: { account: string | undefined }): JSX.Element {
  return <h1>{account}</h1>;
}
