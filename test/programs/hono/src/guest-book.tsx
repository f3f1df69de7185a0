/** @jsxImportSource hono/jsx */
import type { FC } from 'hono/jsx';

interface Props {
  readonly title: string;
  readonly names: readonly string[];
}

const Entry: FC<{ name: string }> = async ({ name }) => {
  await Promise.resolve();
  return <li class="entry">{name}</li>;
};

export const GuestBook: FC<Props> = ({ title, names }) => (
  <main>
    <h1>{title}</h1>
    {names.length === 0 ? (
      <em>Nobody was here</em>
    ) : (
      <ul style={{ color: 'red' }}>
        {names.map((name) => (
          <Entry name={name} />
        ))}
      </ul>
    )}
  </main>
);
