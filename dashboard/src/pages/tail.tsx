/** Invocations as they end. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { call, toPath } from '../api/client.ts';
import { Card, Empty, Failure, Time } from '../ui/parts.tsx';

const PROTOCOL = 'trace-v1';
const MAX_SHOWN = 200;

interface TailEvent {
  readonly outcome: string;
  readonly eventTimestamp: number;
  readonly event?: {
    readonly request?: { readonly url: string; readonly method: string };
    readonly response?: { readonly status: number };
    readonly cron?: string;
    readonly type?: string;
    readonly message?: string;
  };
  readonly logs: readonly { readonly level: string; readonly message: readonly unknown[] }[];
  readonly exceptions: readonly { readonly name: string; readonly message: string; readonly stack?: string }[];
  readonly cpuTime?: number;
  readonly wallTime?: number;
}

interface Shown {
  readonly id: number;
  readonly event: TailEvent;
}

type State = 'connecting' | 'connected' | 'ended';

export function TailPane({ account, name }: { account: string; name: string }): JSX.Element {
  const [events, setEvents] = useState<readonly Shown[]>([]);
  const [state, setState] = useState<State>('connecting');
  const [turn, setTurn] = useState(0);
  const [isPaused, setPaused] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (isPaused) return undefined;
    setError(undefined);
    setState('connecting');
    let nextId = Date.now();
    return openTail(account, name, {
      onState: setState,
      onError: setError,
      onEvent: (event) => setEvents((old) => [{ id: (nextId += 1), event }, ...old].slice(0, MAX_SHOWN)),
    });
  }, [account, name, turn, isPaused]);
  return (
    <Card
      title="Live tail"
      actions={
        <div class="row">
          <span class="badge" role="status">
            {isPaused ? 'paused' : state}
          </span>
          {state === 'ended' && !isPaused && (
            <button type="button" onClick={() => setTurn(turn + 1)}>
              Connect again
            </button>
          )}
          <button type="button" onClick={() => setPaused(!isPaused)}>
            {isPaused ? 'Go on' : 'Pause'}
          </button>
          <button type="button" onClick={() => setEvents([])}>
            Clear
          </button>
        </div>
      }
    >
      <Failure error={error} />
      {events.length === 0 ? (
        <Empty title="Nothing yet">Invocations appear here as they end, the newest first.</Empty>
      ) : (
        <ol class="tail" aria-label="Invocations" reversed>
          {events.map(({ id, event }) => (
            <Entry key={id} event={event} />
          ))}
        </ol>
      )}
    </Card>
  );
}

function Entry({
  event: { outcome, eventTimestamp, event, logs, exceptions, cpuTime, wallTime },
}: {
  event: TailEvent;
}): JSX.Element {
  const { request, response, cron, message } = event ?? {};
  return (
    <li>
      <span class={`badge ${outcome === 'ok' ? 'good' : 'bad'}`}>{outcome}</span>{' '}
      <code>
        {request !== undefined ? `${request.method} ${request.url}` : cron !== undefined ? `cron ${cron}` : message}
      </code>{' '}
      {response !== undefined && <strong>{response.status}</strong>}{' '}
      <span class="muted">
        <Time at={eventTimestamp} />
        {cpuTime !== undefined && `, ${cpuTime} ms CPU, ${wallTime} ms in all`}
      </span>
      {logs.map((log, at) => (
        <div key={at} class={`line ${log.level === 'error' ? 'bad' : ''}`}>
          {log.level}: {log.message.map(toText).join(' ')}
        </div>
      ))}
      {exceptions.map((exception, at) => (
        <div key={at} class="line bad">
          {exception.name}: {exception.message}
          {exception.stack !== undefined && exception.stack !== '' && `\n${exception.stack}`}
        </div>
      ))}
    </li>
  );
}

function toText(value: unknown): string {
  if (Array.isArray(value)) return value.map(toText).join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

interface TailListener {
  readonly onState: (state: State) => void;
  readonly onError: (error: unknown) => void;
  readonly onEvent: (event: TailEvent) => void;
}

/** Returns what ends it. */
function openTail(account: string, name: string, { onState, onError, onEvent }: TailListener): () => void {
  const path = toPath`/accounts/${account}/workers/scripts/${name}/tails`;
  let socket: WebSocket | undefined;
  let isClosed = false;
  const open = async (): Promise<void> => {
    const { id, url } = await call<{ id: string; url: string }>(path, { method: 'POST', body: { filters: [] } });
    const leave = (): void => void call(`${path}/${encodeURIComponent(id)}`, { method: 'DELETE' }).catch(() => {});
    if (isClosed) return leave();
    // This page's own way to the server, whatever the server thinks that it is.
    const target = new URL(new URL(url).pathname, location.href);
    target.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    socket = new WebSocket(target, PROTOCOL);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => onState('connected'));
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
      onEvent(JSON.parse(text) as TailEvent);
    });
    socket.addEventListener('close', () => {
      if (!isClosed) onState('ended');
      leave();
    });
    return undefined;
  };
  open().catch((error: unknown) => {
    if (isClosed) return;
    onError(error);
    onState('ended');
  });
  return () => {
    isClosed = true;
    socket?.close();
  };
}
