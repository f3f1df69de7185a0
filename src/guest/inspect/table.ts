/** `console.table`, as Node draws it. No getter is called, and what is drawn is bounded as a line of the console is. */
import {
  isArray,
  isView,
  mapForEach,
  objectCreate,
  objectGetOwnPropertyDescriptor,
  objectKeys,
  objectToString,
  setForEach,
  typedArrayLength,
  typedArrayTag,
} from '../shared.ts';
import {
  type Budget,
  inspectCell,
  listKeys,
  MAX_CHARACTERS,
  MAX_INDEXES,
  MAX_VALUES,
  TRUNCATED,
  UNSHOWN,
} from './value.ts';

const MAX_ROWS = 1_000;
const MAX_COLUMNS = 100;
const STOP = Symbol('enough'); // thrown out of forEach

/** The lines, without a line break at the end. `properties` are the columns that are wanted: an array, if any. */
export function formatTable(data: object, properties: unknown): string {
  if (properties !== undefined && !isArray(properties)) {
    throw new TypeError("Failed to execute 'table' on 'console': properties is not an array");
  }
  const budget: Budget = { characters: MAX_CHARACTERS, values: MAX_VALUES };
  try {
    return tableOfEntries(data, budget) ?? tableOfRows(data, properties as unknown[] | undefined, budget);
  } catch {
    return UNSHOWN; // a proxy's trap threw
  }
}

/** Of a Map or a Set; undefined for other objects. */
function tableOfEntries(data: object, budget: Budget): string | undefined {
  const tag = objectToString(data);
  const indexes: string[] = [];
  const keys: string[] = [];
  const values: string[] = [];
  const add = (value: unknown, key: unknown): void => {
    if (indexes.length >= MAX_ROWS || budget.values < 0 || budget.characters < 0) throw STOP;
    indexes.push(`${indexes.length}`);
    keys.push(inspectCell(key, budget));
    values.push(inspectCell(value, budget));
  };
  try {
    if (tag === '[object Map]') mapForEach(data, add);
    else if (tag === '[object Set]') setForEach(data, (value) => add(value, undefined));
    else return undefined;
  } catch (error) {
    if (error !== STOP) return undefined; // the tag was forged
  }
  return tag === '[object Map]'
    ? draw(['(iteration index)', 'Key', 'Values'], [indexes, keys, values])
    : draw(['(iteration index)', 'Values'], [indexes, values]);
}

/** One row for each property, one column for each key that one of them has. */
function tableOfRows(data: object, properties: readonly unknown[] | undefined, budget: Budget): string {
  const indexes = rowKeys(data);
  const columns = objectCreate(null) as Record<string, string[]>; // sorts indexes first, as Node's does
  const values: string[] = [];
  const wanted = properties === undefined ? undefined : Array.from(properties.slice(0, MAX_COLUMNS), String);
  let count = 0;
  for (let i = 0; i < indexes.length; i++) {
    if (budget.values < 0 || budget.characters < 0) {
      indexes.length = i;
      break;
    }
    const item = cellOf(data, indexes[i]!, budget);
    if (item.row === undefined && wanted === undefined) {
      values[i] = item.text;
      continue;
    }
    const keys = wanted ?? rowKeys(item.row!);
    for (let j = 0; j < keys.length; j++) {
      const key = keys[j]!;
      const isNew = columns[key] === undefined;
      if (isNew && ++count > MAX_COLUMNS) break;
      const column = (columns[key] ??= []);
      const descriptor = item.row && objectGetOwnPropertyDescriptor(item.row, key);
      column[i] = descriptor === undefined ? '' : shown(descriptor, budget);
    }
  }
  const heads = ['(index)', ...objectKeys(columns)];
  const bodies = [indexes, ...objectKeys(columns).map((key) => columns[key]!)];
  if (values.length > 0) {
    heads.push('Values');
    bodies.push(values);
  }
  return draw(heads, bodies);
}

/** A property of the data: a row of columns of its own, or one value. */
function cellOf(data: object, key: string, budget: Budget): { row?: object; text: string } {
  const descriptor = objectGetOwnPropertyDescriptor(data, key);
  const value: unknown = descriptor?.value;
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return { row: value, text: '' };
  return { text: descriptor === undefined ? '' : shown(descriptor, budget) };
}

function shown(descriptor: PropertyDescriptor, budget: Budget): string {
  if (descriptor.get !== undefined || descriptor.set !== undefined) return '[Getter/Setter]';
  return inspectCell(descriptor.value, budget);
}

/** Enumerable own keys, so many of them. */
function rowKeys(value: object): string[] {
  const keys: string[] = [];
  const length = isView(value)
    ? typedArrayTag(value) === undefined
      ? 0
      : typedArrayLength(value)
    : isArray(value) && value.length > MAX_INDEXES
      ? value.length
      : 0;
  for (let i = 0; i < length && i < MAX_ROWS; i++) keys.push(`${i}`);
  const own = listKeys(value);
  for (let i = 0; i < own.length && keys.length < MAX_ROWS; i++) {
    const key = own[i];
    if (typeof key === 'string' && objectGetOwnPropertyDescriptor(value, key)?.enumerable === true) keys.push(key);
  }
  return keys;
}

function draw(heads: readonly string[], columns: readonly (readonly string[])[]): string {
  const rows = columns[0]!.length;
  const widths = heads.map((head, i) => {
    let width = widthOf(head);
    const column = columns[i]!;
    for (let row = 0; row < rows; row++) width = Math.max(width, widthOf(column[row] ?? ''));
    return width;
  });
  const rule = widths.map((width) => '─'.repeat(width + 2));
  const line = (cells: readonly string[]): string =>
    `│${cells.map((cell, i) => ` ${cell}${' '.repeat(widths[i]! - widthOf(cell))} `).join('│')}│\n`;
  let text = `┌${rule.join('┬')}┐\n${line(heads)}├${rule.join('┼')}┤\n`;
  for (let row = 0; row < rows; row++) {
    if (text.length > MAX_CHARACTERS) return text.slice(0, MAX_CHARACTERS - TRUNCATED.length) + TRUNCATED;
    text += line(columns.map((column) => column[row] ?? ''));
  }
  return `${text}└${rule.join('┴')}┘`;
}

// East Asian Width: Wide and Fullwidth; and emoji.
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** In columns of a terminal. */
function widthOf(text: string): number {
  // oxlint-disable-next-line no-control-regex -- what is not ASCII is counted one by one
  if (!/[^\0-\x7f]/.test(text)) return text.length;
  let width = 0;
  for (let i = 0; i < text.length; i++) {
    const character = String.fromCodePoint(text.codePointAt(i)!);
    i += character.length - 1;
    width += WIDE.test(character) ? 2 : NONE.test(character) ? 0 : 1;
  }
  return width;
}
