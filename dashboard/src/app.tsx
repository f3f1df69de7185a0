/** Signed in or not, the frame around every page, and which page it is. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, keepToken, readToken, watchRefusals } from './api/client.ts';
import type { Account, Session } from './api/types.ts';
import { AccountPages } from './pages/account-pages.tsx';
import { CellsPage } from './pages/cells.tsx';
import { SignIn } from './pages/sign-in.tsx';
import { goTo, Link, toHref, useRoute } from './router.tsx';
import { Failure } from './ui/parts.tsx';
import { ThemePicker } from './ui/theme.tsx';
import { useLoad } from './ui/load.ts';

const PAGE_SIZE = 100; // the most that the API gives
const MAX_PAGES = 100;

export function App(): JSX.Element {
  const [isSignedIn, setSignedIn] = useState(readToken() !== null);
  const [wasRefused, setRefused] = useState(false);
  useEffect(() => {
    watchRefusals(() => {
      if (readToken() !== null) setRefused(true);
      keepToken(null);
      setSignedIn(false);
    });
  }, []);
  if (!isSignedIn) {
    const onToken = (): void => {
      setRefused(false);
      setSignedIn(true);
    };
    return <SignIn wasRefused={wasRefused} onToken={onToken} />;
  }
  const signOut = (): void => {
    keepToken(null);
    setSignedIn(false);
    goTo(toHref());
  };
  return <Frame onSignOut={signOut} />;
}

interface Who {
  readonly session: Session;
  readonly accounts: readonly Account[];
}

async function loadWho(signal: AbortSignal): Promise<Who> {
  const [session, accounts] = await Promise.all([call<Session>('/isola/session', { signal }), loadAccounts(signal)]);
  return { session, accounts };
}

/** All of them, page by page. */
async function loadAccounts(signal: AbortSignal): Promise<readonly Account[]> {
  const accounts: Account[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const found = await call<Account[]>(`/accounts?page=${page}&per_page=${PAGE_SIZE}`, { signal });
    accounts.push(...found);
    if (found.length < PAGE_SIZE) break;
  }
  return accounts;
}

function Frame({ onSignOut }: { onSignOut: () => void }): JSX.Element {
  const { data, error } = useLoad('who', loadWho);
  const route = useRoute();
  const asked = route[0] === 'a' ? route[1] : undefined;
  const account = asked ?? data?.accounts[0]?.id;
  const isOperator = data?.session.account === '*';
  const section = route[0] === 'a' ? (route[2] ?? 'workers') : route[0];
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <header class="top">
        <Link to={toHref()} class="brand">
          isola
        </Link>
        {account !== undefined && (
          <nav aria-label="Sections">
            <ul>
              {SECTIONS.map(([name, title]) => (
                <li key={name}>
                  <Link to={toHref('a', account, name)} isCurrent={section === name && route[0] === 'a'}>
                    {title}
                  </Link>
                </li>
              ))}
              {isOperator && (
                <li>
                  <Link to={toHref('cells')} isCurrent={route[0] === 'cells'}>
                    All cells
                  </Link>
                </li>
              )}
            </ul>
          </nav>
        )}
        <div class="end">
          {data !== undefined && account !== undefined && (
            <AccountPicker accounts={data.accounts} account={account} section={section} />
          )}
          <ThemePicker />
          <button type="button" onClick={onSignOut}>
            Sign out
          </button>
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Failure error={error} />
        {data !== undefined && route[0] === 'cells' && isOperator && <CellsPage account={undefined} />}
        {data !== undefined && route[0] !== 'cells' && account !== undefined && (
          <AccountPages key={account} account={account} parts={route.slice(2)} session={data.session} />
        )}
        {data !== undefined && account === undefined && <p>There is no account yet: isola account create &lt;id&gt;</p>}
      </main>
    </>
  );
}

const SECTIONS = [
  ['workers', 'Workers'],
  ['usage', 'Usage & cost'],
  ['logs', 'Logs'],
  ['cells', 'Cells'],
] as const;

interface AccountPickerProps {
  readonly accounts: readonly Account[];
  readonly account: string;
  readonly section: string | undefined;
}

/** An operator has all of them to choose from; a customer sees whose this is. */
function AccountPicker({ accounts, account, section }: AccountPickerProps): JSX.Element {
  if (accounts.length === 1 && accounts[0]?.id === account) {
    return <span class="muted">{accounts[0].name}</span>;
  }
  const isListed = accounts.some(({ id }) => id === account);
  return (
    <select
      aria-label="Account"
      value={account}
      onChange={({ currentTarget }) => goTo(toHref('a', currentTarget.value, section ?? 'workers'))}
    >
      {!isListed && <option value={account}>{account}</option>}
      {accounts.map(({ id, name, status }) => (
        <option key={id} value={id}>
          {name === id ? id : `${name} (${id})`}
          {status === 'suspended' ? ' – suspended' : ''}
        </option>
      ))}
    </select>
  );
}
