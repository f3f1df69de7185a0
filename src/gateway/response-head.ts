const NAME_CACHE_ENTRIES = 2_000;

/** Not for the client: the cell's connection is not the client's, and the ray is ours to say. */
const NOT_FORWARDED = [
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'te',
  'trailer',
  'proxy-connection',
  'expect',
  'x-isola-ray',
];

type Kind = 'pass' | 'drop' | 'length';
const kinds = new Map<string, Kind>();

export interface ResponseHead {
  readonly statusText: string;
  /** Name and value by turns, without the length. */
  readonly headers: string[];
  /** What the Worker says its body is long; undefined when it does not say, or nothing sensible. */
  readonly contentLength: number | undefined;
}

/** Takes apart `statusText\nname\nvalue…`. Never throws: node:http refuses names and values that are none. */
export function parseResponseHead(head: string): ResponseHead {
  const fields = head.split('\n');
  const headers: string[] = [];
  let contentLength: number | undefined;
  for (let i = 1; i + 1 < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    const kind = kinds.get(name) ?? learnKind(name);
    if (kind === 'pass') headers.push(name, value);
    else if (kind === 'length' && /^\d{1,15}$/.test(value)) contentLength = Number(value);
  }
  return { statusText: fields[0] ?? '', headers, contentLength };
}

function learnKind(name: string): Kind {
  const lower = name.toLowerCase();
  let kind: Kind = 'pass';
  if (lower === 'content-length') kind = 'length';
  else if (NOT_FORWARDED.includes(lower)) kind = 'drop';
  if (kinds.size >= NAME_CACHE_ENTRIES) kinds.clear();
  kinds.set(name, kind);
  return kind;
}
