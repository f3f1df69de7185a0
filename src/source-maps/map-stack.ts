/** Frames of stacks in any text: an error's stack, a console line with errors in it, the message of a refused upload. */

/** Where the code at some position of a module was written. */
export interface Origin {
  readonly source: string;
  /** From 1. */
  readonly line: number;
  /** From 1, as V8 counts. */
  readonly column: number;
  /** What the source calls the identifier that stands exactly there, when the bundle may call it otherwise. */
  readonly name: string | undefined;
}

/** `line` and `column` count from 1. */
export type FindOrigin = (module: string, line: number, column: number) => Origin | undefined;

interface Frame {
  /** Up to the function's name: indentation, `at`, `async`. */
  readonly start: string;
  readonly isAsync: boolean;
  readonly name: string | undefined;
  readonly module: string;
  readonly line: number;
  readonly column: number;
  /** What follows the name in messages of refused uploads: `at index.js:1:2 in name`. */
  readonly nameLast: boolean;
  /** What a console puts behind the last frame of an error within a value: ` {`, `,`, ` ]`. */
  readonly end: string;
}

const MAX_FRAME_CHARS = 2_000; // a longer line is no frame: module names have 512 characters at most
const MAX_FRAMES = 200; // of one text; an error with causes has some dozens. Bounds what a text can grow to.
const IDENTIFIER = /^[\w$]+$/;

/** Cheap, and right for all texts but a few odd ones: whether there may be frames in it. */
export function mayHaveFrames(text: string): boolean {
  return text.includes('  at ');
}

/** The modules that frames of the texts are in, at most `limit`. */
export function listModules(texts: readonly string[], limit: number): string[] {
  const modules = new Set<string>();
  for (const text of texts) {
    for (const frame of framesOf(text)) if (modules.size < limit) modules.add(frame.module);
  }
  return [...modules];
}

/** The text with each frame that has an origin told in terms of it. Everything else stays, byte for byte. */
export function mapStack(text: string, findOrigin: FindOrigin): string {
  const lines = text.split('\n');
  const frames: (Frame | undefined)[] = [];
  const origins: (Origin | undefined)[] = [];
  let left = MAX_FRAMES;
  for (const [i, line] of lines.entries()) {
    const frame = left > 0 ? parseFrame(line) : undefined;
    if (frame === undefined) continue;
    left--;
    frames[i] = frame;
    origins[i] = findOrigin(frame.module, frame.line, frame.column);
  }
  for (const [i, frame] of frames.entries()) {
    const origin = origins[i];
    if (frame === undefined || origin === undefined) continue;
    // A minifier shortens a function's name. What the caller's source calls it is written where it is called.
    const caller = frames[i + 1]?.isAsync === true ? undefined : origins[i + 1]?.name;
    lines[i] = formatFrame(frame, origin, caller);
  }
  return lines.join('\n');
}

function formatFrame(frame: Frame, { source, line, column }: Origin, calledAs: string | undefined): string {
  const { start, end } = frame;
  const position = `${source}:${line}:${column}`;
  if (frame.name === undefined) return `${start}${position}${end}`;
  const name = calledAs !== undefined && IDENTIFIER.test(frame.name) ? calledAs : frame.name;
  return frame.nameLast ? `${start}${position} in ${name}${end}` : `${start}${name} (${position})${end}`;
}

function* framesOf(text: string): Generator<Frame> {
  let left = MAX_FRAMES;
  for (const line of text.split('\n')) {
    const frame = parseFrame(line);
    if (frame === undefined) continue;
    yield frame;
    if (--left === 0) return;
  }
}

/**
 * `at name (module:1:2)`, `at async name (module:1:2)`, `at module:1:2` and `at module:1:2 in name`, indented. By hand
 * from both ends: a regular expression for all of it could be made to take minutes.
 */
function parseFrame(line: string): Frame | undefined {
  if (line.length > MAX_FRAME_CHARS) return undefined;
  const start = /^\s+at (?:async )?/.exec(line)?.[0];
  if (start === undefined) return undefined;
  const isAsync = start.endsWith('async ');
  let length = line.length;
  while (length > start.length && ' ,{}[]'.includes(line.charAt(length - 1))) length--;
  const frame = line.slice(start.length, length);
  const end = line.slice(length);
  if (frame.endsWith(')')) {
    const open = frame.lastIndexOf(' (');
    const position = open < 0 ? undefined : parsePosition(frame.slice(open + 2, -1));
    return position && { start, isAsync, name: frame.slice(0, open), nameLast: false, end, ...position };
  }
  const nameAt = frame.lastIndexOf(' in ');
  const name = nameAt < 0 ? undefined : frame.slice(nameAt + 4);
  const position = parsePosition(nameAt < 0 ? frame : frame.slice(0, nameAt));
  return position && { start, isAsync, name, nameLast: true, end, ...position };
}

function parsePosition(text: string): Pick<Frame, 'column' | 'line' | 'module'> | undefined {
  const columnAt = text.lastIndexOf(':');
  const lineAt = columnAt < 0 ? -1 : text.lastIndexOf(':', columnAt - 1);
  if (lineAt < 1) return undefined;
  const line = parseCount(text.slice(lineAt + 1, columnAt));
  const column = parseCount(text.slice(columnAt + 1));
  if (line === undefined || column === undefined) return undefined;
  return { module: text.slice(0, lineAt), line, column };
}

function parseCount(digits: string): number | undefined {
  return /^[1-9]\d{0,8}$/.test(digits) ? Number(digits) : undefined;
}
