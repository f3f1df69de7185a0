/**
 * Values as text, as Node's `util.inspect` has them in the usual cases.
 *
 * The values are a tenant's: no getter is called, proxies are told apart only by what they let show, and work is bounded
 * by a budget of characters and of values for each call, so that no structure, however wide, deep or shared, is costly.
 */
import {
  arrayBufferByteLength,
  arrayBufferSlice,
  bigintValue,
  booleanValue,
  dataViewBuffer,
  dataViewByteLength,
  dataViewByteOffset,
  dateToISOString,
  dateValue,
  forms,
  functionToString,
  isArray,
  isBlob,
  isDOMException,
  isView,
  mapForEach,
  mapSize,
  numberValue,
  objectGetOwnPropertyDescriptor,
  objectKeys,
  objectGetPrototypeOf,
  objectToString,
  reflectOwnKeys,
  regExpToString,
  setForEach,
  setSize,
  stringValue,
  symbolToString,
  symbolValue,
  typedArrayLength,
  typedArrayTag,
} from '../shared.ts';
import { indent, layOut } from './layout.ts';

export const MAX_CHARACTERS = 64 * 1024; // of one call's line
export const MAX_VALUES = 4_000; // looked at in one call
const MAX_ITEMS = 100; // of one array, Map or Set; Node's maxArrayLength
const MAX_CELL_ITEMS = 3;
export const MAX_INDEXES = 10_000; // of an array whose further properties are looked for
const MAX_KEYS = 100; // of one object
export const MAX_STRING = 10_000; // of one string inside a structure; Node's maxStringLength
export const MAX_DEPTH = 2;
const MAX_BYTES = 100; // shown of an ArrayBuffer
const MAX_CAUSES = 8;
export const UNSHOWN = '[value could not be shown]';
export const TRUNCATED = '... [truncated]';

export interface Budget {
  characters: number;
  values: number;
}

interface Context {
  readonly budget: Budget;
  /** Of the whole call: how deep the value lies that was looked at last. */
  readonly reach: { depth: number };
  readonly depth: number;
  readonly maxDepth: number;
  /** The objects around the present one. */
  readonly parents: readonly object[];
  /** Those that something inside them refers back to, in the order found. */
  readonly circular: object[];
  /** What an object says that it shows, where it is asked: by `util.inspect`, never by the console. */
  readonly custom?: CustomInspect | undefined;
  /** For a cell of a table: on one line, with few items. */
  readonly isCell?: boolean;
}

export type CustomInspect = (value: object, depth: number) => string | undefined;

/** A value as text, bounded as `format` is. Never throws. */
export function inspect(value: unknown, maxDepth = MAX_DEPTH): string {
  const text = inspectWith(value, { characters: MAX_CHARACTERS, values: MAX_VALUES }, maxDepth);
  return text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS - TRUNCATED.length) + TRUNCATED : text;
}

/** As `inspect`, within what is left of a budget. */
export function inspectWith(value: unknown, budget: Budget, maxDepth: number, custom?: CustomInspect): string {
  try {
    return inspectValue(value, { budget, reach: { depth: 0 }, depth: 0, maxDepth, parents: [], circular: [], custom });
  } catch (error) {
    if (custom !== undefined) throw error; // the caller's own code ran
    return UNSHOWN; // a proxy's trap threw, or the stack was exhausted
  }
}

/** A value as a cell of `console.table` has it, within what is left of a budget. */
export function inspectCell(value: unknown, budget: Budget): string {
  try {
    const isLarge = typeof value === 'object' && value !== null && !isArray(value) && objectKeys(value).length > 2;
    const context = { budget, reach: { depth: 0 }, depth: 0, parents: [], circular: [], isCell: true };
    return inspectValue(value, { ...context, maxDepth: isLarge ? -1 : 0 });
  } catch {
    return UNSHOWN;
  }
}

function maxItems({ isCell }: Context): number {
  return isCell === true ? MAX_CELL_ITEMS : MAX_ITEMS;
}

function inspectValue(value: unknown, context: Context): string {
  const { budget } = context;
  if (--budget.values < 0 || budget.characters < 0) return '...';
  // Structures are charged for their marks, keys and names; what is inside them charges itself.
  if (typeof value === 'function' || (typeof value === 'object' && value !== null))
    return inspectObject(value, context);
  return charge(context, typeof value === 'string' ? quote(value) : formatPrimitive(value));
}

/** Takes a text's length off the budget. */
function charge({ budget }: Context, text: string): string {
  budget.characters -= text.length + 4; // and the marks around it
  return text;
}

export function formatPrimitive(value: unknown): string {
  if (typeof value === 'number') return formatNumber(value);
  if (typeof value === 'symbol') return symbolToString(value).slice(0, MAX_STRING);
  if (typeof value !== 'bigint') return String(value);
  // The decimal digits of a large BigInt take quadratic time, and nothing can interrupt it.
  return BigInt.asIntN(4096, value) === value ? `${value}n` : '[BigInt of more than 4096 bits]';
}

export function formatNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function quote(text: string): string {
  const clipped = text.length > MAX_STRING ? text.slice(0, MAX_STRING) : text;
  const more = text.length - clipped.length;
  const mark = !clipped.includes("'") ? "'" : !clipped.includes('"') ? '"' : clipped.includes('`') ? "'" : '`';
  // oxlint-disable-next-line no-control-regex -- control characters are what is escaped
  const escaped = clipped.replace(/[\0-\x1f\\'\x7f-\x9f]/g, (c) => {
    if (c === "'") return mark === "'" ? "\\'" : c;
    if (c === '\n') return '\\n';
    if (c === '\t') return '\\t';
    if (c === '\r') return '\\r';
    if (c === '\\') return '\\\\';
    return `\\x${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
  const rest = more > 0 ? `... ${more} more character${more === 1 ? '' : 's'}` : '';
  const whole = escaped.isWellFormed() ? escaped : escapeSurrogates(escaped);
  return `${mark}${whole}${mark}${rest}`;
}

function escapeSurrogates(text: string): string {
  return text.replace(/\p{Surrogate}/gu, (unit) => `\\u${unit.charCodeAt(0).toString(16)}`);
}

function inspectFunction(value: object): string {
  let source = '';
  try {
    source = functionToString(value).slice(0, 6);
  } catch {
    // a callable proxy may have no source
  }
  const name = dataProperty(value, 'name');
  const isClass = source.startsWith('class');
  const label = isClass ? 'class' : objectToString(value).slice(8, -1).slice(0, 40);
  const isNamed = typeof name === 'string' && name !== '';
  if (isClass) {
    const parent: unknown = objectGetPrototypeOf(value);
    const parentName = typeof parent === 'function' ? dataProperty(parent, 'name') : undefined;
    const base = typeof parentName === 'string' && parentName !== '' ? ` extends ${parentName.slice(0, 200)}` : '';
    return `[class ${isNamed ? name.slice(0, 200) : '(anonymous)'}${parent === null ? ' extends null' : base}]`;
  }
  return isNamed ? `[${label}: ${name.slice(0, 200)}]` : `[${label} (anonymous)]`;
}

function inspectObject(value: object, context: Context): string {
  const { circular } = context;
  if (context.parents.includes(value)) {
    if (!circular.includes(value)) circular.push(value);
    return `[Circular *${circular.indexOf(value) + 1}]`;
  }
  const text =
    context.custom?.(value, context.maxDepth - context.depth) ??
    inspectError(value, context) ??
    inspectStructure(value, context);
  const reference = circular.indexOf(value);
  return reference < 0 ? text : `<ref *${reference + 1}> ${text}`;
}

function inspectStructure(value: object, context: Context): string {
  const inner: Context = { ...context, depth: context.depth + 1, parents: [...context.parents, value] };
  const leaf = typeof value === 'function' ? inspectFunction(value) : inspectWrapped(value);
  if (leaf !== undefined) {
    charge(context, leaf);
    const parts = context.depth > context.maxDepth ? [] : inspectKeys(value, inner, false);
    return parts.length === 0 ? leaf : enclose(`${leaf} {`, parts, '}', context);
  }
  const name = charge(context, className(value));
  if (!isEmpty(value)) {
    if (context.depth > context.maxDepth) return isArray(value) ? '[Array]' : bracketed(name);
    context.reach.depth = context.depth;
  }

  if (isArray(value)) {
    return inspectArray(value, value.length, name === 'Array' ? '' : `${name}(${value.length}) `, context, inner);
  }
  if (isView(value)) return inspectView(value, name, context, inner);
  const collection = inspectCollection(value, name, context, inner);
  if (collection !== undefined) return collection;
  const parts = inspectKeys(value, inner, false);
  const isArguments = name === 'Object' && objectToString(value) === '[object Arguments]';
  const shown = isArguments ? '[Arguments]' : tagged(value, name);
  const prefix = shown === 'Object' ? '' : `${shown} `;
  return parts.length === 0 ? `${prefix}{}` : enclose(`${prefix}{`, parts, '}', context);
}

function bracketed(name: string): string {
  return name.startsWith('[') ? name : `[${name}]`;
}

/** With its `Symbol.toStringTag`, where that says something else. */
function tagged(value: object, name: string): string {
  let from: object | null = value;
  for (let i = 0; from !== null && i < 8; i++) {
    const descriptor = objectGetOwnPropertyDescriptor(from, Symbol.toStringTag);
    const tag: unknown = descriptor?.value;
    if (typeof tag === 'string' && tag !== '' && !(from === value && descriptor?.enumerable === true)) {
      return name === tag || name.startsWith('[') ? name : `${name} [${tag.slice(0, 200)}]`;
    }
    from = objectGetPrototypeOf(from) as object | null;
  }
  return name;
}

/** Does it show the same however deep it lies? */
function isEmpty(value: object): boolean {
  if (isView(value)) return typedArrayTag(value) !== undefined && typedArrayLength(value) === 0;
  if (isArray(value) && value.length > 0) return false;
  const tag = objectToString(value);
  if (tag === '[object ArrayBuffer]' || tag === '[object Promise]') return false;
  try {
    if (tag === '[object Map]' && mapSize(value) > 0) return false;
    if (tag === '[object Set]' && setSize(value) > 0) return false;
  } catch {
    return false; // the tag was forged
  }
  const ownKeys = listKeys(value);
  for (let i = 0; i < ownKeys.length && i < MAX_KEYS; i++) {
    if (objectGetOwnPropertyDescriptor(value, ownKeys[i]!)?.enumerable === true) return false;
  }
  return true;
}

function inspectArray(value: object, length: number, prefix: string, outer: Context, context: Context): string {
  const parts: string[] = [];
  let at = 0;
  while (at < length && parts.length < maxItems(context) && hasBudget(context)) {
    const descriptor = objectGetOwnPropertyDescriptor(value, at);
    if (descriptor !== undefined) {
      parts.push(inspectDescriptor(descriptor, context));
      at++;
      continue;
    }
    const end = endOfHoles(value, at, length);
    context.budget.values -= (end - at) >> 4; // looking for the next item is work too
    parts.push(`<${end - at} empty item${end - at === 1 ? '' : 's'}>`);
    at = end;
  }
  addMore(parts, length - at);
  parts.push(...inspectKeys(value, context, true));
  return parts.length === 0 ? `${prefix}[]` : enclose(`${prefix}[`, parts, ']', outer, value);
}

/** Where the next item is; of a huge array nobody looks so far. */
function endOfHoles(value: object, from: number, length: number): number {
  if (length > MAX_INDEXES) return length;
  let end = from + 1;
  while (end < length && objectGetOwnPropertyDescriptor(value, end) === undefined) end++;
  return end;
}

function inspectView(value: object, name: string, outer: Context, context: Context): string {
  const tag = typedArrayTag(value);
  if (tag === undefined) {
    const parts = [
      `[byteLength]: ${dataViewByteLength(value)}`,
      `[byteOffset]: ${dataViewByteOffset(value)}`,
      `[buffer]: ${inspectValue(dataViewBuffer(value), context)}`,
    ];
    return enclose(`${name} {`, parts, '}', outer);
  }
  const length = typedArrayLength(value);
  const parts: string[] = [];
  const shown = Math.min(length, maxItems(context));
  for (let i = 0; i < shown && hasBudget(context); i++) parts.push(inspectValue((value as unknown[])[i], context));
  addMore(parts, length - shown);
  const prefix = `${name}(${length}) ${name === tag ? '' : `[${tag}] `}`;
  return parts.length === 0 ? `${prefix}[]` : enclose(`${prefix}[`, parts, ']', outer, value);
}

/** Map, Set, ArrayBuffer and what else has an inside that is not properties; undefined for other objects. */
function inspectCollection(value: object, name: string, outer: Context, context: Context): string | undefined {
  const tag = objectToString(value);
  const close = (head: string, parts: string[]): string => {
    parts.push(...inspectKeys(value, context, false));
    return parts.length === 0 ? `${head} {}` : enclose(`${head} {`, parts, '}', outer);
  };
  try {
    if (tag === '[object Map]') {
      const size = mapSize(value);
      const parts = take(size, context, (add) =>
        mapForEach(value, (item, key) => add(() => `${inspectValue(key, context)} => ${inspectValue(item, context)}`)),
      );
      return close(`${name}(${size})${name === 'Map' ? '' : ' [Map]'}`, parts);
    }
    if (tag === '[object Set]') {
      const size = setSize(value);
      const parts = take(size, context, (add) => setForEach(value, (item) => add(() => inspectValue(item, context))));
      return close(`${name}(${size})${name === 'Set' ? '' : ' [Set]'}`, parts);
    }
    if (tag === '[object ArrayBuffer]') {
      const byteLength = arrayBufferByteLength(value);
      const contents = hexOf(new Uint8Array(arrayBufferSlice(value as ArrayBuffer, 0, MAX_BYTES)), byteLength);
      return close(name, [`[Uint8Contents]: <${contents}>`, `[byteLength]: ${byteLength}`]);
    }
  } catch (error) {
    if (error !== STOP) return undefined; // the tag was forged, or the buffer is detached
    throw error;
  }
  if (tag === '[object Promise]') return `${name} { ... }`;
  if (tag === '[object WeakMap]' || tag === '[object WeakSet]') return `${name} { <items unknown> }`;
  if (isBlob(value))
    return `${name} { size: ${forms().blobBytes(value).length}, type: ${quote(forms().blobType(value))} }`;
  return undefined;
}

function hexOf(bytes: Uint8Array, total: number): string {
  let hex = '';
  for (let i = 0; i < bytes.length; i++)
    hex += `${i === 0 ? '' : ' '}${bytes[i]! < 16 ? '0' : ''}${bytes[i]!.toString(16)}`;
  const more = total - bytes.length;
  return more > 0 ? `${hex} ... ${more} more byte${more === 1 ? '' : 's'}` : hex;
}

const STOP = Symbol('enough'); // thrown out of forEach: a collection of millions must not be walked to its end

function take(size: number, context: Context, walk: (add: (show: () => string) => void) => void): string[] {
  const parts: string[] = [];
  try {
    walk((show) => {
      if (parts.length >= maxItems(context) || !hasBudget(context)) throw STOP;
      parts.push(show());
    });
  } catch (error) {
    if (error !== STOP) throw error;
  }
  addMore(parts, size - parts.length);
  return parts;
}

function inspectKeys(value: object, context: Context, skipIndexes: boolean): string[] {
  const parts: string[] = [];
  const ownKeys = listKeys(value);
  let more = 0;
  for (let i = 0; i < ownKeys.length; i++) {
    const key = ownKeys[i] as string | symbol;
    if (skipIndexes && typeof key === 'string' && /^\d+$/.test(key)) continue;
    if (parts.length >= MAX_KEYS || !hasBudget(context)) {
      more = ownKeys.length - i;
      break;
    }
    const descriptor = objectGetOwnPropertyDescriptor(value, key);
    if (!descriptor?.enumerable) continue;
    parts.push(`${charge(context, inspectKey(key))}: ${inspectDescriptor(descriptor, context)}`);
  }
  addMore(parts, more);
  return parts;
}

/** Own keys, but none where they are indexes without number: of a huge array, a typed array, a boxed string. */
export function listKeys(value: object): readonly PropertyKey[] {
  const indexed = isView(value) || objectToString(value) === '[object String]';
  return indexed || (isArray(value) && value.length > MAX_INDEXES) ? [] : reflectOwnKeys(value);
}

function inspectKey(key: string | symbol): string {
  if (typeof key === 'symbol') return symbolToString(key).slice(0, MAX_STRING);
  return /^[A-Za-z_]\w{0,200}$/.test(key) ? key : quote(key);
}

function inspectDescriptor(descriptor: PropertyDescriptor, context: Context): string {
  if (descriptor.get !== undefined) return descriptor.set === undefined ? '[Getter]' : '[Getter/Setter]';
  if (descriptor.set !== undefined) return '[Setter]';
  return inspectValue(descriptor.value, context);
}

/** Errors show their stack, their own properties and their causes. */
function inspectError(value: object, context: Context): string | undefined {
  const isError = objectToString(value) === '[object Error]' || isDOMException(value) || value instanceof Error;
  if (!isError) return undefined;
  const stack = dataProperty(value, 'stack') ?? stackOf(value);
  const text = typeof stack === 'string' && stack !== '' ? stack.slice(0, MAX_STRING) : `[${headOf(value)}]`;
  charge(context, text);
  const nested = context.parents.length > MAX_CAUSES;
  const inner: Context = { ...context, depth: context.depth + 1, parents: [...context.parents, value] };
  const parts: string[] = [];
  const hidden: string[] = []; // `cause` and `errors`, behind the others
  const ownKeys = nested ? [] : listKeys(value);
  for (let i = 0; i < ownKeys.length && parts.length < MAX_KEYS && hasBudget(context); i++) {
    const key = ownKeys[i] as string | symbol;
    if (key === 'stack' || key === 'message') continue;
    const descriptor = objectGetOwnPropertyDescriptor(value, key);
    const shown = descriptor?.enumerable === true || key === 'cause' || key === 'errors';
    if (descriptor === undefined || !shown) continue;
    const label = charge(context, descriptor.enumerable ? inspectKey(key) : `[${key as string}]`);
    const list = descriptor.enumerable ? parts : hidden;
    list.push(`${label}: ${inspectDescriptor(descriptor, inner)}`);
  }
  parts.push(...hidden);
  const indented = context.depth > 0 ? text.replaceAll('\n', `\n${'  '.repeat(context.depth)}`) : text;
  return parts.length === 0 ? indented : `${indented} {\n${indent(parts, inner.depth)}\n${'  '.repeat(context.depth)}}`;
}

/** V8 keeps an error's stack behind an accessor of its own: read it only where that is what is there. */
function stackOf(value: object): unknown {
  const getter = objectGetOwnPropertyDescriptor(value, 'stack')?.get;
  if (getter === undefined || !functionToString(getter).includes('[native code]')) return undefined;
  try {
    return (value as Error).stack;
  } catch {
    return undefined;
  }
}

function headOf(value: object): string {
  const name = dataProperty(value, 'name') ?? className(value);
  const message = dataProperty(value, 'message');
  const label = typeof name === 'string' ? name.slice(0, 200) : 'Error';
  return typeof message === 'string' && message !== '' ? `${label}: ${message.slice(0, MAX_STRING)}` : label;
}

/** Values that show as one word, though they are objects. */
export function inspectWrapped(value: object): string | undefined {
  const tag = objectToString(value);
  try {
    switch (tag) {
      case '[object Date]':
        return Number.isNaN(dateValue(value)) ? 'Invalid Date' : dateToISOString(value);
      case '[object RegExp]':
        return regExpToString(value).slice(0, MAX_STRING);
      case '[object Number]':
        return `[Number: ${formatNumber(numberValue(value))}]`;
      case '[object Boolean]':
        return `[Boolean: ${booleanValue(value)}]`;
      case '[object String]':
        return `[String: ${quote(stringValue(value))}]`;
      case '[object Symbol]':
        return `[Symbol: ${symbolToString(symbolValue(value)).slice(0, MAX_STRING)}]`;
      case '[object BigInt]':
        return `[BigInt: ${formatPrimitive(bigintValue(value))}]`;
      default:
        return undefined;
    }
  } catch {
    return undefined; // the tag was forged
  }
}

/** The name of an object's class, from data properties only, as Node shows it. */
function className(value: object): string {
  let from: object | null = value;
  for (let i = 0; from !== null && i < 8; i++) {
    const type = dataProperty(from, 'constructor');
    if (typeof type === 'function') {
      const name = dataProperty(type, 'name');
      if (typeof name === 'string' && name !== '') return name.slice(0, 200);
    }
    from = objectGetPrototypeOf(from) as object | null;
  }
  return objectGetPrototypeOf(value) === null
    ? `[${objectToString(value).slice(8, -1).slice(0, 200)}: null prototype]`
    : 'Object';
}

function dataProperty(value: object, key: string): unknown {
  return objectGetOwnPropertyDescriptor(value, key)?.value;
}

function hasBudget({ budget }: Context): boolean {
  return budget.values > 0 && budget.characters > 0;
}

function addMore(parts: string[], count: number): void {
  if (count > 0) parts.push(`... ${count} more item${count === 1 ? '' : 's'}`);
}

function enclose(open: string, parts: readonly string[], close: string, context: Context, list?: object): string {
  const { depth, reach, isCell } = context;
  if (isCell === true) return `${open} ${parts.join(', ')} ${close}`;
  const columns = list === undefined ? undefined : { max: MAX_ITEMS, alignsRight: () => isNumeric(list, parts.length) };
  return layOut({ open, parts, close, depth, levels: reach.depth - depth, columns });
}

function isNumeric(list: object, count: number): boolean {
  if (isView(list)) return true;
  for (let i = 0; i < count; i++) {
    const item = dataProperty(list, `${i}`);
    if (typeof item !== 'number' && typeof item !== 'bigint') return false;
  }
  return true;
}
