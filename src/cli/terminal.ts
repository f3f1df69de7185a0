/** Colour for people: only where the stream is a terminal that shows it, and NO_COLOR / FORCE_COLOR are respected. */
import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Where text goes. `process.stdout` and `process.stderr` fit; tests pass their own. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** `text` with a style when `stream` is a terminal; otherwise as it is. */
export function paint(style: Style, text: string, stream: TextStream = process.stdout): string {
  // With `validateStream`, styleText looks at isTTY, NO_COLOR, NODE_DISABLE_COLORS and FORCE_COLOR itself.
  return styleText(style, text, { stream: stream as NodeJS.WritableStream, validateStream: true });
}

// Whoever read our output may go; the platform stays.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

/** Tenants choose much of what is shown: control characters would let them rewrite the operator's terminal. */
export function toSafe(text: string): string {
  // oxlint-disable-next-line no-control-regex -- that is what is taken out
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\uFFFD');
}

/** The same for what stands on one line, in the order it is read. */
export function toCell(text: string): string {
  return toSafe(text).replace(/[\t\n\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\uFFFD');
}

export function printLine(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** `950 ms`, `3.2 s`, `2 min 05 s`. */
export function toDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
