/** Sends a request to the Worker by way of the control API, and shows the answer as text whatever it says it is. */
import type { JSX, TargetedSubmitEvent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, toPath } from '../api/client.ts';
import type { TryAnswer } from '../api/types.ts';
import { toShortId } from '../ui/format.ts';
import { useAction } from '../ui/load.ts';
import { Card, Failure } from '../ui/parts.tsx';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

interface TryPaneProps {
  readonly account: string;
  readonly name: string;
  /** A version that was stored and serves nobody yet. */
  readonly saved: string | undefined;
}

export function TryPane({ account, name, saved }: TryPaneProps): JSX.Element {
  const [method, setMethod] = useState('GET');
  const [path, setPath] = useState('/');
  const [headers, setHeaders] = useState('');
  const [body, setBody] = useState('');
  const [version, setVersion] = useState('');
  const [answer, setAnswer] = useState<TryAnswer>();
  const { run, isRunning, error } = useAction();
  useEffect(() => setVersion(saved ?? ''), [saved]);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const send = async (): Promise<void> => {
    const request = {
      method,
      path,
      headers: parseHeaders(headers),
      ...(hasBody && body !== '' && { body }),
      ...(version !== '' && { version_id: version }),
    };
    const url = toPath`/accounts/${account}/workers/scripts/${name}/isola/try`;
    setAnswer(await call<TryAnswer>(url, { method: 'POST', body: request }));
  };
  const showPreviews = async (): Promise<void> => {
    const url = toPath`/accounts/${account}/workers/scripts/${name}/subdomain`;
    const { enabled } = await call<{ enabled: boolean }>(url);
    await call(url, { method: 'POST', body: { enabled, previews_enabled: true } });
    await send();
  };
  const onSubmit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    run(send);
  };
  return (
    <Card title="Try it">
      <form onSubmit={onSubmit}>
        <div class="row">
          <label>
            Method
            <select value={method} onChange={({ currentTarget }) => setMethod(currentTarget.value)}>
              {METHODS.map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <label class="wide">
            Path and query
            <input value={path} onInput={({ currentTarget }) => setPath(currentTarget.value)} />
          </label>
        </div>
        <label>
          Headers, one per line
          <textarea
            rows={2}
            value={headers}
            placeholder="accept: application/json"
            onInput={({ currentTarget }) => setHeaders(currentTarget.value)}
          />
        </label>
        {hasBody && (
          <label>
            Body
            <textarea value={body} onInput={({ currentTarget }) => setBody(currentTarget.value)} />
          </label>
        )}
        {saved !== undefined && (
          <label>
            Which version
            <select value={version} onChange={({ currentTarget }) => setVersion(currentTarget.value)}>
              <option value="">what serves</option>
              <option value={saved}>the one just saved ({toShortId(saved)})</option>
            </select>
          </label>
        )}
        <div class="row">
          <button type="submit" class="main" disabled={isRunning}>
            Try it
          </button>
        </div>
      </form>
      <Failure error={error} />
      {version !== '' && error !== undefined && (
        <button type="button" disabled={isRunning} onClick={() => run(showPreviews)}>
          Switch preview URLs on, for everybody who knows them, and try again
        </button>
      )}
      {answer !== undefined && <Answer answer={answer} />}
    </Card>
  );
}

function Answer({ answer }: { answer: TryAnswer }): JSX.Element {
  const { status, headers, body, encoding, truncated, head_ms, total_ms } = answer;
  return (
    <section aria-label="Answer" aria-live="polite">
      <p>
        <strong class={status < 400 ? 'good' : 'bad'}>{status}</strong>{' '}
        <span class="muted">
          headers after {head_ms.toFixed(1)} ms, all after {total_ms.toFixed(1)} ms
        </span>
      </p>
      <details>
        <summary>{headers.length} headers</summary>
        <pre tabIndex={0}>{headers.map(([name, value]) => `${name}: ${value}`).join('\n')}</pre>
      </details>
      {encoding === 'base64' && <p class="muted">The body is no text; as base64:</p>}
      <pre tabIndex={0} aria-label="Body of the answer">
        {body}
      </pre>
      {truncated && <p class="muted">Only its beginning is shown.</p>}
    </section>
  );
}

function parseHeaders(text: string): [string, string][] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const at = line.indexOf(':');
    if (at < 1) throw new Error(`Cannot send header "${line.trim()}": write it as name: value`);
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
}
