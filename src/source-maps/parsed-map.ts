/** One source map, read into memory, as little of it as can be. */
import { AnyMap, decodedMappings, type TraceMap, traceSegment } from '@jridgewell/trace-mapping';
import type { Origin } from './map-stack.ts';

export interface ParsedMap {
  /** About what it takes of memory, in bytes. */
  readonly cost: number;
  /** Both count from 1. */
  findOrigin(line: number, column: number): Origin | undefined;
}

export interface ParseOptions {
  /** Leaves `../` in front of sources: they are relative to a folder that the reader is in. */
  readonly keepParents: boolean;
}

const SEGMENT_BYTES = 64; // an array of five small integers
const LINE_BYTES = 32;
const MAX_SOURCE_CHARS = 300;
const MAX_NAME_CHARS = 100;

/** Throws on anything that is no source map. */
export function parseMap(json: string, { keepParents }: ParseOptions): ParsedMap {
  // The standard lets a server put `)]}'` and a line break before it.
  const value = JSON.parse(json.startsWith(")]}'") ? json.slice(json.indexOf('\n')) : json) as unknown;
  if (typeof value !== 'object' || value === null) throw new Error('Cannot read source map: it is no object');
  Reflect.deleteProperty(value, 'sourcesContent'); // most of the bytes, and nobody asks for it
  const map = new AnyMap(value as ConstructorParameters<typeof AnyMap>[0]);
  const lines = decodedMappings(map);
  let segments = 0;
  for (const line of lines) segments += line.length;
  return {
    cost: segments * SEGMENT_BYTES + lines.length * LINE_BYTES + map.names.length * 32 + map.sources.length * 256,
    findOrigin: (line, column) => findOrigin(map, { line, column, keepParents }),
  };
}

interface Position extends ParseOptions {
  readonly line: number;
  readonly column: number;
}

function findOrigin(map: TraceMap, { line, column, keepParents }: Position): Origin | undefined {
  const segment = traceSegment(map, line - 1, column - 1);
  if (segment === null || segment.length === 1) return undefined;
  const [generatedColumn, sourceIndex, originLine, originColumn] = segment;
  const source: unknown = map.resolvedSources[sourceIndex];
  if (typeof source !== 'string' || source === '' || !isCount(originLine) || !isCount(originColumn)) return undefined;
  // A segment holds up to the next one; the name in it is that of the identifier at its very beginning.
  const name = segment.length === 5 && generatedColumn === column - 1 ? toName(map.names[segment[4]]) : undefined;
  return { source: toPath(source, keepParents), line: originLine + 1, column: originColumn + 1, name };
}

/** A map may hold its segments decoded: then they are whatever its JSON had. */
function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function toName(name: unknown): string | undefined {
  return typeof name === 'string' && name.length <= MAX_NAME_CHARS && /^[\w$]+$/.test(name) ? name : undefined;
}

/** `webpack://app/./src/a.ts` and `../../src/a.ts` to `src/a.ts`: what an author knows the file by. */
function toPath(source: string, keepParents: boolean): string {
  const path = source
    .replace(/^webpack:\/\/[^/]*\//, '')
    .replace(keepParents ? /^(?:\.\/)+/ : /^(?:\.{1,2}\/)+/, '')
    .slice(-MAX_SOURCE_CHARS);
  // A line break would make two lines of one in a stack.
  // oxlint-disable-next-line no-control-regex -- that is what is taken out
  return path.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '\uFFFD');
}
