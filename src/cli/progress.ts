/**
 * A progress line for work that takes longer than a second: a bar where the amount is known, else the time spent.
 *
 * Shown on a terminal only; elsewhere nothing is written, so that logs of a CI stay free of control characters.
 */
import { paint, toDuration, type TextStream } from './terminal.ts';

const SHOW_AFTER_MS = 1000; // quick work needs no bar
const REDRAW_MS = 200;
const BAR_WIDTH = 24;

export interface Progress extends Disposable {
  /** `done` of `total` steps; `detail` names what is being done now. */
  update(done: number, detail?: string): void;
  /** Removes the line. Whatever is printed next starts on a clean one. */
  stop(): void;
}

export interface ProgressOptions {
  readonly label: string;
  /** How many steps there are; without it the line shows the time spent. */
  readonly total?: number;
  readonly stream?: TextStream;
  readonly now?: () => number;
}

export function startProgress({ label, total, stream = process.stderr, now = Date.now }: ProgressOptions): Progress {
  const startedAt = now();
  let done = 0;
  let detail = '';
  let isDrawn = false;

  const draw = (): void => {
    const elapsedMs = now() - startedAt;
    if (elapsedMs < SHOW_AFTER_MS) return;
    const line = toLine({ label, done, total, detail, elapsedMs, columns: stream.columns ?? 80 });
    stream.write(`\r\u001b[2K${paint('dim', line, stream)}`); // back to the line's start, and clear it
    isDrawn = true;
  };
  const timer = stream.isTTY === true ? setInterval(draw, REDRAW_MS) : undefined;
  timer?.unref();

  const stop = (): void => {
    clearInterval(timer);
    if (isDrawn) stream.write('\r\u001b[2K');
    isDrawn = false;
  };
  return {
    update(nowDone, nowDetail = '') {
      done = nowDone;
      detail = nowDetail;
    },
    stop,
    [Symbol.dispose]: stop,
  };
}

interface Line {
  readonly label: string;
  readonly done: number;
  readonly total: number | undefined;
  readonly detail: string;
  readonly elapsedMs: number;
  readonly columns: number;
}

/** One line, no longer than the terminal is wide: a wrapped line could not be redrawn in place. */
export function toLine({ label, done, total, detail, elapsedMs, columns }: Line): string {
  const time = toDuration(elapsedMs);
  if (total === undefined || total === 0) return `${label} ${detail} ${time}`.slice(0, columns - 1);
  const filled = Math.round((Math.min(done, total) / total) * BAR_WIDTH);
  const bar = '█'.repeat(filled) + '░'.repeat(BAR_WIDTH - filled);
  return `${label} ${bar} ${done}/${total} ${time} ${detail}`.slice(0, columns - 1);
}
