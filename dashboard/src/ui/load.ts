/** Data that a page shows: fetched when the page is, again when asked, or over and over. */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

export interface Loaded<T> {
  /** Of the last time that worked. */
  readonly data: T | undefined;
  /** Of the last time, when that did not. */
  readonly error: unknown;
  readonly reload: () => void;
}

type Load<T> = (signal: AbortSignal) => Promise<T>;

interface LoadOptions {
  /** Between the end of one and the start of the next, while the page is visible. 0: once. */
  readonly everyMs?: number;
}

/** `key`: what the data depends on. Under another key what was there is forgotten. */
export function useLoad<T>(key: string, load: Load<T>, { everyMs = 0 }: LoadOptions = {}): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: unknown }>({ key });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const once = async (): Promise<void> => {
      try {
        if (everyMs === 0 || !document.hidden) {
          const data = await latest.current(abort.signal);
          if (!abort.signal.aborted) setState({ key, data });
        }
      } catch (error) {
        if (!abort.signal.aborted) setState((old) => (old.key === key ? { ...old, error } : { key, error }));
      }
      if (everyMs > 0 && !abort.signal.aborted) timer = setTimeout(() => void once(), everyMs);
    };
    void once();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, turn, everyMs]);
  const reload = useCallback(() => setTurn((old) => old + 1), []);
  const isCurrent = state.key === key;
  return { data: isCurrent ? state.data : undefined, error: isCurrent ? state.error : undefined, reload };
}

export interface Action {
  readonly run: (work: () => Promise<void>) => void;
  readonly isRunning: boolean;
  readonly error: unknown;
}

/** Something that a button does: one at a time, its error kept until the next. */
export function useAction(): Action {
  const [isRunning, setRunning] = useState(false);
  const [error, setError] = useState<unknown>();
  const busy = useRef(false);
  const run = (work: () => Promise<void>): void => {
    if (busy.current) return;
    busy.current = true;
    setRunning(true);
    setError(undefined);
    void work()
      .catch((thrown: unknown) => setError(thrown))
      .finally(() => {
        busy.current = false;
        setRunning(false);
      });
  };
  return { run, isRunning, error };
}
