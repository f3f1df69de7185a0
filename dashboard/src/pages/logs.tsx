/** What Workers logged and threw, to search. */
import type { JSX, TargetedSubmitEvent } from 'preact';
import { useState } from 'preact/hooks';
import { callPage, toPath } from '../api/client.ts';
import type { LogEntry } from '../api/watching.ts';
import { toMicros, toShortId } from '../ui/format.ts';
import { useAction, useLoad } from '../ui/load.ts';
import { Card, Empty, Failure, LoadedView, Time } from '../ui/parts.tsx';

const PAGE = '50';
const HOUR_MS = 3_600_000;
const SPANS: readonly (readonly [string, number])[] = [
  ['The last hour', HOUR_MS],
  ['The last day', 24 * HOUR_MS],
  ['All that is kept', 0],
];
const OUTCOMES = ['', 'ok', 'exception', 'exceededCpu', 'exceededMemory', 'canceled'];

interface Filters {
  readonly worker: string;
  readonly outcome: string;
  readonly text: string;
  readonly spanMs: number;
}

export function LogsPage({ account }: { account: string }): JSX.Element {
  const [draft, setDraft] = useState<Filters>({ worker: '', outcome: '', text: '', spanMs: 24 * HOUR_MS });
  const [search, setSearch] = useState(() => toQuery(draft));
  const path = `${toPath`/accounts/${account}/isola/logs`}?${search}`;
  const first = useLoad(path, (signal) => callPage<LogEntry[]>(path, { signal }));
  const onSubmit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const query = toQuery(draft);
    if (query === search) first.reload();
    else setSearch(query);
  };
  return (
    <>
      <h1>Logs</h1>
      <form class="row" role="search" onSubmit={onSubmit}>
        <label class="wide">
          Text
          <input
            type="search"
            value={draft.text}
            onInput={({ currentTarget }) => setDraft({ ...draft, text: currentTarget.value })}
          />
        </label>
        <label>
          Worker
          <input
            value={draft.worker}
            onInput={({ currentTarget }) => setDraft({ ...draft, worker: currentTarget.value })}
          />
        </label>
        <label>
          Outcome
          <select
            value={draft.outcome}
            onChange={({ currentTarget }) => setDraft({ ...draft, outcome: currentTarget.value })}
          >
            {OUTCOMES.map((outcome) => (
              <option key={outcome} value={outcome}>
                {outcome === '' ? 'any' : outcome}
              </option>
            ))}
          </select>
        </label>
        <label>
          Time
          <select
            value={String(draft.spanMs)}
            onChange={({ currentTarget }) => setDraft({ ...draft, spanMs: Number(currentTarget.value) })}
          >
            {SPANS.map(([title, ms]) => (
              <option key={ms} value={String(ms)}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <button type="submit" class="main">
          Search
        </button>
      </form>
      <LoadedView of={first}>
        {({ result, cursor }) => <Entries key={path} path={path} first={result} cursor={cursor} />}
      </LoadedView>
    </>
  );
}

function toQuery({ worker, outcome, text, spanMs }: Filters): string {
  const query = new URLSearchParams({ limit: PAGE });
  if (worker.trim() !== '') query.set('worker', worker.trim());
  if (outcome !== '') query.set('outcome', outcome);
  if (text.trim() !== '') query.set('text', text.trim());
  if (spanMs > 0) query.set('since', new Date(Date.now() - spanMs).toISOString());
  return query.toString();
}

interface EntriesProps {
  readonly path: string;
  readonly first: readonly LogEntry[];
  readonly cursor: string | undefined;
}

function Entries({ path, first, cursor }: EntriesProps): JSX.Element {
  const [older, setOlder] = useState<{ entries: readonly LogEntry[]; cursor: string | undefined }>();
  const { run, isRunning, error } = useAction();
  const next = older === undefined ? cursor : older.cursor;
  const more = async (): Promise<void> => {
    const page = await callPage<LogEntry[]>(`${path}&cursor=${encodeURIComponent(next ?? '')}`);
    setOlder({ entries: [...(older?.entries ?? []), ...page.result], cursor: page.cursor });
  };
  const entries = [...first, ...(older?.entries ?? [])];
  if (entries.length === 0) return <Empty title="Nothing found">Invocations that log or fail are kept.</Empty>;
  return (
    <Card title="Invocations">
      <ol class="tail" aria-label="Invocations">
        {entries.map((entry) => (
          <Entry key={entry.id ?? entry.ray} entry={entry} />
        ))}
      </ol>
      <Failure error={error} />
      {next !== undefined && next !== '' && (
        <button type="button" disabled={isRunning} onClick={() => run(more)}>
          Older ones
        </button>
      )}
    </Card>
  );
}

function Entry({ entry }: { entry: LogEntry }): JSX.Element {
  const { outcome, worker, version, method, url, cron, event, status, at, cpu_us, wall_ms, logs, exceptions } = entry;
  return (
    <li>
      <span class={`badge ${outcome === 'ok' ? 'good' : 'bad'}`}>{outcome}</span> <strong>{worker}</strong>{' '}
      <code>{url !== undefined ? `${method ?? ''} ${url}` : cron !== undefined ? `cron ${cron}` : event}</code>{' '}
      {status > 0 && <strong>{status}</strong>}{' '}
      <span class="muted">
        <Time at={at} />, {toMicros(cpu_us)} CPU, {Math.round(wall_ms)} ms in all, version {toShortId(version)}
      </span>
      {logs.map(({ level, message }, index) => (
        <div key={index} class={`line ${level === 'error' ? 'bad' : ''}`}>
          {level}: {message}
        </div>
      ))}
      {exceptions.map(({ name, message, stack }, index) => (
        <div key={index} class="line bad">
          {name}: {message}
          {stack !== undefined && `\n${stack}`}
        </div>
      ))}
    </li>
  );
}
