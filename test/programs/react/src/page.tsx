import { createContext, type ReactNode, Suspense, use, useContext, useId, useMemo, useState } from 'react';

interface Props {
  readonly path: string;
  readonly commentsUrl: string;
}

const Theme = createContext('light');

export function Page({ path, commentsUrl }: Props): ReactNode {
  if (path === '/broken') throw new Error('broken on purpose');
  const comments = loadComments(commentsUrl);
  return (
    <html lang="en">
      <head>
        <title>{`Page ${path}`}</title>
      </head>
      <body>
        <Theme value="dark">
          <Counter />
        </Theme>
        <Suspense fallback={<p id="loading">Loading comments…</p>}>
          <Comments comments={comments} />
        </Suspense>
      </body>
    </html>
  );
}

function Counter(): ReactNode {
  const [count, setCount] = useState(0);
  const label = useMemo(() => `Clicked ${count} times`, [count]);
  const theme = useContext(Theme);
  const id = useId();
  return (
    <button id={id} className={theme} style={{ fontWeight: 'bold' }} onClick={() => setCount(count + 1)}>
      {label}
    </button>
  );
}

function Comments({ comments }: { readonly comments: Promise<readonly string[]> }): ReactNode {
  return (
    <ul>
      {use(comments).map((comment) => (
        <li key={comment}>{comment}</li>
      ))}
    </ul>
  );
}

async function loadComments(url: string): Promise<readonly string[]> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`Comments: ${response.status}`);
  return (await response.json()) as string[];
}
