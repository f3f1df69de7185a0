/** A source map of a module, for the module with text put into it. */
import { AnyMap, decodedMap, encodedMap, type SourceMapInput, TraceMap } from '@jridgewell/trace-mapping';
import type { Insertion } from './amend.ts';

/** Throws on anything that is no source map. */
export function shiftMap(json: string, text: string, insertions: readonly Insertion[]): string {
  const value = JSON.parse(json.startsWith(")]}'") ? json.slice(json.indexOf('\n')) : json) as SourceMapInput;
  const map = decodedMap(new AnyMap(value));
  const shifts = toShifts(text, insertions);
  const mappings = map.mappings.map((segments, line) => {
    const inserted = shifts.get(line);
    if (inserted === undefined) return segments;
    let next = 0;
    let by = 0;
    // Segments are in the order of their columns.
    return segments.map((segment) => {
      for (; next < inserted.length && inserted[next]!.column <= segment[0]; next++) by += inserted[next]!.length;
      const moved = [...segment] as typeof segment;
      moved[0] += by;
      return moved;
    });
  });
  return JSON.stringify(encodedMap(new TraceMap({ ...map, mappings })));
}

interface Shift {
  readonly column: number;
  readonly length: number;
}

/** By line, both from 0. No text that is put in has a line break. */
function toShifts(text: string, insertions: readonly Insertion[]): Map<number, Shift[]> {
  const shifts = new Map<number, Shift[]>();
  let line = 0;
  let lineStart = 0;
  for (const { at, text: inserted } of insertions) {
    for (let end = text.indexOf('\n', lineStart); end >= 0 && end < at; end = text.indexOf('\n', lineStart)) {
      line++;
      lineStart = end + 1;
    }
    const shift = { column: at - lineStart, length: inserted.length };
    const known = shifts.get(line);
    if (known === undefined) shifts.set(line, [shift]);
    else known.push(shift);
  }
  return shifts;
}
