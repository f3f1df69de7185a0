/**
 * An upload that does not start: the tenant's fault. The message is what `wrangler deploy` shows; its frames have the
 * form `at file:line:column` that wrangler maps back through the project's source maps.
 */
export class LoadError extends Error {
  override readonly name = 'LoadError';

  /** The budget was the reason: with a larger one it might start. */
  get exceededCpu(): boolean {
    return this.cause === EXCEEDED_CPU;
  }
}

/** The cause of a LoadError for want of CPU time. */
export const EXCEEDED_CPU = 'exceededCpu';

/** How isolated-vm begins what it says of a thrown object. */
export const NOT_AN_ERROR = 'An object was thrown from supplied code';

const MAX_MESSAGE = 4_000;
/** The frame between the isolate's and the host's own. */
const BOUNDARY = '(<isolated-vm boundary>)';

/** Describes what V8 threw while a module was compiled, linked or evaluated. Host frames are cut off. */
export function toLoadError(thrown: unknown): LoadError {
  if (thrown instanceof LoadError) return thrown;
  if (!(thrown instanceof Error)) return new LoadError(`Uncaught ${clip(describeValue(thrown))}`);
  if (thrown.message.startsWith(NOT_AN_ERROR)) return new LoadError('Uncaught a value that is not an Error');
  const { text, position } = splitPosition(thrown.message);
  const frames = tenantFrames(thrown.stack ?? '', thrown.message);
  const at = position === undefined ? frames : [`  at ${position}`, ...frames];
  return new LoadError(clip([`Uncaught ${thrown.name}: ${text}`, ...at].join('\n')));
}

/** The stack of a copied error without the frames of the host. */
export function guestStack({ name, message, stack = '' }: Error): string {
  const end = stack.indexOf(BOUNDARY);
  return end < 0 ? `${name}: ${message}` : stack.slice(0, stack.lastIndexOf('\n', end));
}

/**
 * What isolated-vm has copied of a rejection's reason, a primitive value or an Error with a stack of both sides, as
 * ENTER.rejection takes it.
 */
export function describeRejection(reason: unknown): string {
  if (!(reason instanceof Error)) {
    return typeof reason === 'bigint' || typeof reason === 'symbol' ? '{}' : JSON.stringify({ value: reason });
  }
  const { name, message } = reason;
  if (message.startsWith(NOT_AN_ERROR)) {
    return JSON.stringify({ name: 'Error', message: 'A promise was rejected with an object that is not an Error' });
  }
  return JSON.stringify({ name: clip(name), message: clip(message), stack: clip(guestStack(reason)) });
}

/** isolated-vm puts a syntax error's position behind its message: `Unexpected token [index.js:2:9]`. */
function splitPosition(message: string): { text: string; position: string | undefined } {
  const match = /^([\s\S]*) \[([^[\]\n]+:\d+:\d+)\]$/.exec(message);
  return match === null ? { text: message, position: undefined } : { text: match[1] ?? '', position: match[2] };
}

function tenantFrames(stack: string, message: string): string[] {
  const start = stack.indexOf(message);
  const frames: string[] = [];
  for (const line of stack.slice(start < 0 ? 0 : start + message.length).split('\n')) {
    const frame = line.trim();
    if (frame.endsWith(BOUNDARY)) break;
    if (!frame.startsWith('at ')) continue;
    const named = /^at (?:async )?(.+) \((.+:\d+:\d+)\)$/.exec(frame);
    if (frame.includes('isola:guest')) continue;
    frames.push(named === null ? `  ${frame}` : `  at ${named[2]} in ${named[1]}`);
    if (frames.length === 10) break;
  }
  // Without a boundary line every frame is the host's own.
  return stack.includes(BOUNDARY) ? frames : [];
}

function describeValue(value: unknown): string {
  return typeof value === 'string' ? value : `a value that is not an Error (${typeof value})`;
}

function clip(text: string): string {
  return text.length > MAX_MESSAGE ? `${text.slice(0, MAX_MESSAGE)}…` : text;
}
