/** How Node's `util.inspect` breaks lines: reduceToSingleString() and groupArrayElements(), for 80 columns. */

const BREAK_LENGTH = 80; // characters of a line
const COMPACT_LEVELS = 3; // of values inside one another, on one line
const SEPARATOR = 2; // characters of a comma and a blank

export interface Layout {
  readonly open: string;
  readonly parts: readonly string[];
  readonly close: string;
  /** Of the value, not of its parts. */
  readonly depth: number;
  /** How many levels of other values it holds. */
  readonly levels: number;
  /** What may go in columns: at most `max` items, and one that tells how many are left out. */
  readonly columns: { readonly max: number; readonly alignsRight: () => boolean } | undefined;
}

/**
 * On one line when it fits and holds at most three levels of others, long lists in columns, else one part a line. A
 * brace alone costs 10 characters, as in Node.
 */
export function layOut({ open, parts, close, depth, levels, columns }: Layout): string {
  const margin = depth * 2;
  const output = columns !== undefined && parts.length > 6 ? toColumns(parts, margin, columns) : parts;
  if (levels < COMPACT_LEVELS && output === parts) {
    let length = parts.length * 2 + margin + open.length + 10;
    let isOneLine = !open.includes('\n');
    for (let i = 0; i < parts.length && isOneLine; i++) {
      length += parts[i]!.length;
      isOneLine = length <= BREAK_LENGTH && !parts[i]!.includes('\n');
    }
    if (isOneLine && length <= BREAK_LENGTH) return `${open} ${parts.join(', ')} ${close}`;
  }
  return `${open}\n${indent(output, depth + 1)}\n${' '.repeat(margin)}${close}`;
}

export function indent(parts: readonly string[], depth: number): string {
  const margin = '  '.repeat(depth);
  return parts.map((part) => margin + part).join(',\n');
}

/** The same list when columns would not make it shorter. */
function toColumns(
  parts: readonly string[],
  margin: number,
  { max, alignsRight }: NonNullable<Layout['columns']>,
): readonly string[] {
  const hasMore = parts.length > max;
  const count = hasMore ? parts.length - 1 : parts.length;
  let total = 0;
  let longest = 0;
  for (let i = 0; i < count; i++) {
    total += parts[i]!.length + SEPARATOR;
    longest = Math.max(longest, parts[i]!.length);
  }
  const cell = longest + SEPARATOR;
  if (cell * 3 + margin >= BREAK_LENGTH || (total / cell <= 5 && longest > 6)) return parts;
  const biased = Math.max(cell - 3 - Math.sqrt(cell - total / parts.length), 1);
  const columns = Math.min(
    Math.round(Math.sqrt(2.5 * biased * count) / biased), // a character is 2.5 times as high as it is wide
    Math.floor((BREAK_LENGTH - margin) / cell),
    COMPACT_LEVELS * 4,
    15,
  );
  if (columns <= 1) return parts;
  const widths: number[] = [];
  for (let column = 0; column < columns; column++) {
    let width = 0;
    for (let i = column; i < count; i += columns) width = Math.max(width, parts[i]!.length);
    widths.push(width + SEPARATOR);
  }
  const right = alignsRight();
  const lines: string[] = [];
  for (let from = 0; from < count; from += columns) {
    const end = Math.min(from + columns, count);
    let line = '';
    for (let i = from; i < end - 1; i++) {
      const text = `${parts[i]}, `;
      line += right ? text.padStart(widths[i - from]!) : text.padEnd(widths[i - from]!);
    }
    const tail = parts[end - 1]!;
    lines.push(line + (right ? tail.padStart(widths[end - 1 - from]! - SEPARATOR) : tail));
  }
  if (hasMore) lines.push(parts[count]!);
  return lines;
}
