import type { JSX } from 'preact';

export function ProfilePane({ account, name }: { account: string; name: string }): JSX.Element {
  return <h1>{account + name}</h1>;
}
