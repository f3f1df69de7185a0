/** The small parts that pages are made of. */
import type { ComponentChildren, JSX } from 'preact';
import { ApiError } from '../api/client.ts';
import { toMessage } from './format.ts';
import type { Loaded } from './load.ts';

export function Failure({ error }: { error: unknown }): JSX.Element | null {
  if (error === undefined) return null;
  const code = error instanceof ApiError && error.code > 0 ? ` (code ${error.code})` : '';
  return (
    <p class="notice bad" role="alert">
      {toMessage(error)}
      {code}
    </p>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }): JSX.Element {
  return (
    <div class="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}

interface LoadedViewProps<T> {
  readonly of: Loaded<T>;
  readonly children: (data: T) => ComponentChildren;
}

/** The data once it is there; what went wrong above it. */
export function LoadedView<T>({ of: { data, error }, children }: LoadedViewProps<T>): JSX.Element {
  return (
    <>
      <Failure error={error} />
      {data === undefined ? error === undefined && <p class="muted">Loading …</p> : children(data)}
    </>
  );
}

export function Time({ at }: { at: string | number }): JSX.Element {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return <span>–</span>;
  const iso = date.toISOString();
  return (
    <time dateTime={iso} title={iso}>
      {date.toLocaleString()}
    </time>
  );
}

interface CardProps {
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Card({ title, actions, children }: CardProps): JSX.Element {
  return (
    <section class="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  );
}

interface TableProps {
  readonly label: string;
  readonly head: readonly string[];
  /** How many of the last columns are numbers. */
  readonly numbers?: number;
  readonly children: ComponentChildren;
}

/** Scrolls by itself, with the keyboard too, where the window is narrow. */
export function Table({ label, head, numbers = 0, children }: TableProps): JSX.Element {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {head.map((title, index) => (
              <th key={title} scope="col" class={index >= head.length - numbers ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
