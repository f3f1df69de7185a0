/** Fields of heads. */
import { stringSlice, stringSplit, toLowerCase } from '../../core.ts';

export function variesByAll(head: string): boolean {
  const names = varyNames(head);
  for (let i = 0; i < names.length; i++) if (names[i] === '*') return true;
  return false;
}

/** What the response with this head varies by. */
export function varyNames(head: string): string[] {
  const items = stringSplit(toLowerCase(field(head, 'vary')), ',');
  const names: string[] = [];
  for (let i = 0; i < items.length; i++) {
    const name = trim(items[i]!);
    if (name !== '') names[names.length] = name;
  }
  return names;
}

/** All values of a field of a head, joined; empty when there is none. Names in heads are in lower case. */
export function field(head: string, name: string): string {
  const lines = stringSplit(head, '\n');
  let value = '';
  for (let i = 1; i + 1 < lines.length; i += 2) {
    if (lines[i] === name) value += value === '' ? lines[i + 1] : `,${lines[i + 1]}`;
  }
  return value;
}

function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && (text[start] === ' ' || text[start] === '\t')) start++;
  while (end > start && (text[end - 1] === ' ' || text[end - 1] === '\t')) end--;
  return stringSlice(text, start, end);
}
