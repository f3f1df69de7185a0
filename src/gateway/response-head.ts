import { HOP_BY_HOP } from './hop-by-hop.ts';

/** Not for the client: the cell's connection is not the client's, and the ray is ours to say. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'expect', 'x-isola-ray']);

const CACHE_SLOTS = 512; // a power of two; each holds the head last seen there
const MAX_CACHED_LENGTH = 1_024; // of a head, so half a MB altogether

/** A Worker's answers mostly have the same head, so what has been taken apart is kept until another takes its slot. */
const texts: string[] = Array.from({ length: CACHE_SLOTS }, () => '');
const heads: (ResponseHead | undefined)[] = Array.from({ length: CACHE_SLOTS }, () => undefined);

export interface ResponseHead {
  readonly statusText: string | undefined;
  /** Name and value by turns, without the length. Shared: do not change it. */
  readonly headers: readonly string[];
  /** What the Worker says its body is long; undefined when it does not say, or nothing sensible. */
  readonly contentLength: number | undefined;
}

/** Takes apart `statusText\nname\nvalue…`. Never throws: node:http refuses names and values that are none. */
export function parseResponseHead(text: string): ResponseHead {
  const slot = slotOf(text);
  const known = heads[slot];
  if (known !== undefined && texts[slot] === text) return known;
  const head = parse(text);
  if (text.length <= MAX_CACHED_LENGTH) {
    texts[slot] = text;
    heads[slot] = head;
  }
  return head;
}

/** By length and last characters: heads differ at the end, and a collision only costs the parsing. */
function slotOf(text: string): number {
  let hash = text.length;
  for (let i = Math.max(0, text.length - 16); i < text.length; i++) hash = Math.imul(hash, 31) + text.charCodeAt(i);
  return hash & (CACHE_SLOTS - 1);
}

function parse(text: string): ResponseHead {
  const fields = text.split('\n');
  const headers: string[] = [];
  let contentLength: number | undefined;
  for (let i = 1; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    const lower = name.toLowerCase();
    if (lower === 'content-length') {
      if (/^\d{1,15}$/.test(value)) contentLength = Number(value);
    } else if (!NOT_FORWARDED.has(lower)) {
      headers.push(name, value);
    }
  }
  // '' (most Workers name none) becomes the usual phrase of the status.
  return { statusText: fields[0] === '' ? undefined : fields[0], headers, contentLength };
}
