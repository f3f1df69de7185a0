/** The Workers of an account. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, toPath } from '../api/client.ts';
import type { Script } from '../api/types.ts';
import { Link, toHref } from '../router.tsx';
import { useLoad } from '../ui/load.ts';
import { Empty, LoadedView, Table, Time } from '../ui/parts.tsx';

export function WorkersPage({ account }: { account: string }): JSX.Element {
  const [filter, setFilter] = useState('');
  const scripts = useLoad(`workers ${account}`, (signal) =>
    call<Script[]>(toPath`/accounts/${account}/workers/scripts`, { signal }),
  );
  return (
    <>
      <h1>Workers</h1>
      <div class="row">
        <label class="wide">
          Filter by name
          <input type="search" value={filter} onInput={({ currentTarget }) => setFilter(currentTarget.value)} />
        </label>
        <Link class="button main" to={toHref('a', account, 'new')}>
          New Worker
        </Link>
      </div>
      <LoadedView of={scripts}>
        {(all) => {
          if (all.length === 0)
            return <Empty title="No Workers yet">Deploy one with wrangler, or write one here.</Empty>;
          const shown = all.filter(({ id }) => id.includes(filter.trim()));
          return (
            <div class="card">
              <Table label="Workers" head={['Name', 'Changed', 'Made']}>
                {shown.map(({ id, modified_on, created_on }) => (
                  <tr key={id}>
                    <th scope="row">
                      <Link to={toHref('a', account, 'workers', id)}>{id}</Link>
                    </th>
                    <td>
                      <Time at={modified_on} />
                    </td>
                    <td>
                      <Time at={created_on} />
                    </td>
                  </tr>
                ))}
              </Table>
            </div>
          );
        }}
      </LoadedView>
    </>
  );
}
