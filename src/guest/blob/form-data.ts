import {
  arrayPush,
  createIteratorPrototype,
  defineInterface,
  objectDefineProperty,
  requireArguments,
  toUSVString,
} from '../shared.ts';
import { type Blob, blobBytes, blobType, createFile, type File, isBlob, isFile } from './blob.ts';

export type FormDataValue = string | File;
export type FormDataEntry = [name: string, value: FormDataValue];

let readEntries: (data: FormData) => FormDataEntry[];
let hasState: (value: object) => boolean;

export class FormData {
  #entries: FormDataEntry[] = [];

  static {
    readEntries = (data) => data.#entries;
    hasState = (value) => #entries in value;
  }

  constructor(form?: undefined) {
    if (form !== undefined) throw new TypeError("Failed to construct 'FormData': there are no forms here");
  }

  append(name: string, value: unknown, filename?: string): void {
    requireArguments(arguments.length, 2, "Failed to execute 'append' on 'FormData'");
    const entry = createEntry(name, value, filename, arguments.length > 2);
    arrayPush(this.#entries, entry);
  }

  delete(name: string): void {
    requireArguments(arguments.length, 1, "Failed to execute 'delete' on 'FormData'");
    const key = toUSVString(name);
    this.#entries = this.#entries.filter(([other]) => other !== key);
  }

  get(name: string): FormDataValue | null {
    requireArguments(arguments.length, 1, "Failed to execute 'get' on 'FormData'");
    const key = toUSVString(name);
    for (const [other, value] of this.#entries) if (other === key) return value;
    return null;
  }

  getAll(name: string): FormDataValue[] {
    requireArguments(arguments.length, 1, "Failed to execute 'getAll' on 'FormData'");
    const key = toUSVString(name);
    const values: FormDataValue[] = [];
    for (const [other, value] of this.#entries) if (other === key) values.push(value);
    return values;
  }

  has(name: string): boolean {
    requireArguments(arguments.length, 1, "Failed to execute 'has' on 'FormData'");
    const key = toUSVString(name);
    return this.#entries.some(([other]) => other === key);
  }

  set(name: string, value: unknown, filename?: string): void {
    requireArguments(arguments.length, 2, "Failed to execute 'set' on 'FormData'");
    const entry = createEntry(name, value, filename, arguments.length > 2);
    const at = this.#entries.findIndex(([other]) => other === entry[0]);
    if (at < 0) arrayPush(this.#entries, entry);
    else this.#entries = this.#entries.filter(([other], i) => other !== entry[0] || i === at).with(at, entry);
  }

  forEach(callback: (value: FormDataValue, name: string, data: FormData) => void, thisArg?: unknown): void {
    requireArguments(arguments.length, 1, "Failed to execute 'forEach' on 'FormData'");
    readEntries(this); // brand check
    if (typeof callback !== 'function') throw new TypeError('The callback is not a function');
    for (let i = 0; i < this.#entries.length; i++) {
      const [name, value] = this.#entries[i] as FormDataEntry;
      callback.call(thisArg, value, name, this);
    }
  }

  entries(): IterableIterator<FormDataEntry> {
    return createIterator(this, 'entries') as IterableIterator<FormDataEntry>;
  }

  keys(): IterableIterator<string> {
    return createIterator(this, 'keys') as IterableIterator<string>;
  }

  values(): IterableIterator<FormDataValue> {
    return createIterator(this, 'values') as IterableIterator<FormDataValue>;
  }

  declare [Symbol.iterator]: () => IterableIterator<FormDataEntry>;
}
defineInterface(FormData, 'FormData', { constructor: 0, append: 2, set: 2, forEach: 1 });
objectDefineProperty(FormData.prototype, Symbol.iterator, {
  value: FormData.prototype.entries,
  writable: true,
  configurable: true,
});

export function isFormData(value: unknown): value is FormData {
  return typeof value === 'object' && value !== null && hasState(value);
}

/** The entries in order, not copied. */
export function formDataEntries(data: FormData): readonly FormDataEntry[] {
  return readEntries(data);
}

/** Adds an entry of the runtime's own making, past the public methods. */
export function addEntry(data: FormData, name: string, value: FormDataValue): void {
  arrayPush(readEntries(data), [name, value]);
}

type IterationKind = 'entries' | 'keys' | 'values';

const iterations = new WeakMap<object, { readonly data: FormData; readonly kind: IterationKind; index: number }>();
const iteratorPrototype = createIteratorPrototype('FormData');
objectDefineProperty(iteratorPrototype, 'next', {
  value: function next(this: object): IteratorResult<unknown> {
    const iteration = iterations.get(this);
    if (iteration === undefined) throw new TypeError("'next' called on an object that is no FormData Iterator");
    const entry = readEntries(iteration.data)[iteration.index];
    if (entry === undefined) return { value: undefined, done: true };
    iteration.index++;
    if (iteration.kind === 'keys') return { value: entry[0], done: false };
    if (iteration.kind === 'values') return { value: entry[1], done: false };
    return { value: [entry[0], entry[1]], done: false };
  },
  writable: true,
  enumerable: true,
  configurable: true,
});

function createIterator(data: FormData, kind: IterationKind): object {
  readEntries(data); // brand check
  const iterator = Object.create(iteratorPrototype) as object;
  iterations.set(iterator, { data, kind, index: 0 });
  return iterator;
}

function createEntry(name: unknown, value: unknown, filename: unknown, hasFilename: boolean): FormDataEntry {
  const key = toUSVString(name);
  if (!isBlob(value)) {
    if (hasFilename) throw new TypeError('Cannot add an entry with a file name: its value is not a Blob');
    return [key, toUSVString(value)];
  }
  if (isFile(value) && (!hasFilename || filename === undefined)) return [key, value];
  const given = hasFilename && filename !== undefined;
  return [key, toFile(value, given ? toUSVString(filename) : 'blob')];
}

function toFile(blob: Blob, name: string): File {
  return createFile(blobBytes(blob), name, blobType(blob), isFile(blob) ? blob.lastModified : undefined);
}
