/** Asks for a token and keeps it when it is good. */
import type { JSX, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { call, keepToken } from '../api/client.ts';
import type { Session } from '../api/types.ts';
import { useAction } from '../ui/load.ts';
import { Failure } from '../ui/parts.tsx';

interface SignInProps {
  /** Signed out because the token is good no more. */
  readonly wasRefused: boolean;
  readonly onToken: () => void;
}

export function SignIn({ wasRefused, onToken }: SignInProps): JSX.Element {
  const [token, setToken] = useState('');
  const { run, isRunning, error } = useAction();
  const signIn = async (): Promise<void> => {
    // A header takes no more than this, and no token has it.
    if (!/^[\u0021-\u007e]+$/.test(token.trim())) throw new Error('A token has no spaces and no special characters.');
    keepToken(token.trim());
    try {
      await call<Session>('/isola/session');
    } catch (refusal) {
      keepToken(null);
      throw refusal;
    }
    onToken();
  };
  const onSubmit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    run(signIn);
  };
  return (
    <main class="card sign-in">
      <h1>isola</h1>
      <form onSubmit={onSubmit}>
        <label>
          Access token
          <input
            type="password"
            name="token"
            required
            autoComplete="off"
            autoFocus
            value={token}
            onInput={({ currentTarget }) => setToken(currentTarget.value)}
          />
        </label>
        <div class="row">
          <button class="main" type="submit" disabled={isRunning}>
            Sign in
          </button>
        </div>
      </form>
      {wasRefused && error === undefined && (
        <p class="notice bad" role="alert">
          Signed out: the token is good no more.
        </p>
      )}
      <Failure error={error} />
      <p class="muted">
        It is kept for this tab and forgotten with it. Operators have one from the start, printed by{' '}
        <code>isola start</code>; for a customer: <code>isola token create</code>.
      </p>
    </main>
  );
}
