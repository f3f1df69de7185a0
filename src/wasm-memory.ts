/**
 * Caps the linear memory of a tenant's WebAssembly module by rewriting the binary. Called for uploads (control/) and for
 * what a Worker compiles itself (cell/services/).
 *
 * The engine's heap limit does not see WebAssembly memories, so each must carry a maximum of its own. A module's
 * memory is either imported or defined; both kinds of declaration are rewritten. Everything else is copied byte for
 * byte and left to V8 to validate. (WebAssembly core specification, section 5: binary format.)
 */

const PAGES_PER_MIB = 16;
const MAX_TABLE_ELEMENTS = 1_000_000; // a table costs its minimum at instantiation; V8's own limit of ten million is 0.3 s that nothing stops
const HEADER = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

const IMPORT_SECTION = 2;
const TABLE_SECTION = 4;
const MEMORY_SECTION = 5;

const FUNCTION_IMPORT = 0;
const TABLE_IMPORT = 1;
const MEMORY_IMPORT = 2;
const GLOBAL_IMPORT = 3;
const TAG_IMPORT = 4;

const LIMITS_MIN = 0x00;
const LIMITS_MIN_MAX = 0x01;
const LIMITS_SHARED = 0x02; // a flag, with or without a maximum
const LIMITS_64 = 0x04; // likewise

interface Limits {
  readonly min: number;
  readonly max: number | undefined;
}

export class WasmProblem extends Error {}

/**
 * The module with every memory's maximum at most `maxPages` of 64 KiB.
 *
 * Throws WasmProblem when it is malformed, needs more memory than that to begin with, or has more than one memory, a
 * shared or 64-bit one, or a table beyond a million elements. Takes time proportional to the size of the binary.
 */
export function capMemory(binary: Uint8Array, maxPages: number): Uint8Array {
  if (HEADER.some((byte, i) => binary[i] !== byte)) {
    throw new WasmProblem('not a WebAssembly 1.0 binary');
  }
  const reader = new Reader(binary, HEADER.length, binary.length);
  const memories = new MemoryCap(maxPages);
  const output: Uint8Array[] = [HEADER];
  while (!reader.isAtEnd) {
    const start = reader.position;
    const id = reader.byte();
    const section = reader.section(reader.u32());
    const content = rewriteSection(id, section, memories);
    if (content === undefined) output.push(binary.subarray(start, reader.position));
    else output.push(Uint8Array.of(id), u32Bytes(content.byteLength), content);
  }
  return memories.count === 0 ? binary : concat(output);
}

/** The section's new content, or `undefined` when it stays as it is. */
function rewriteSection(id: number, section: Reader, memories: MemoryCap): Uint8Array | undefined {
  switch (id) {
    case IMPORT_SECTION:
      return rewriteImports(section, memories);
    case TABLE_SECTION:
      checkTables(section);
      return undefined;
    case MEMORY_SECTION:
      return rewriteMemories(section, memories);
    default:
      return undefined;
  }
}

function rewriteImports(section: Reader, memories: MemoryCap): Uint8Array {
  const output: Uint8Array[] = [];
  let copiedTo = section.position;
  for (let left = section.u32(); left > 0; left -= 1) {
    section.skip(section.u32()); // module name
    section.skip(section.u32()); // field name
    switch (section.byte()) {
      case FUNCTION_IMPORT:
        section.u32();
        break;
      case TABLE_IMPORT:
        checkTableType(section);
        break;
      case MEMORY_IMPORT:
        output.push(section.slice(copiedTo)); // before the limits are read: up to and without them
        output.push(memories.cap(readLimits(section, 'memory')));
        copiedTo = section.position;
        break;
      case GLOBAL_IMPORT:
        skipValueType(section);
        section.byte(); // mutability
        break;
      case TAG_IMPORT:
        section.byte(); // attribute
        section.u32();
        break;
      default:
        throw new WasmProblem('malformed import section');
    }
  }
  section.expectEnd();
  output.push(section.slice(copiedTo));
  return concat(output);
}

function rewriteMemories(section: Reader, memories: MemoryCap): Uint8Array {
  const count = section.u32();
  const output: Uint8Array[] = [u32Bytes(count)];
  for (let left = count; left > 0; left -= 1) {
    output.push(memories.cap(readLimits(section, 'memory')));
  }
  section.expectEnd();
  return concat(output);
}

function checkTables(section: Reader): void {
  for (let left = section.u32(); left > 0; left -= 1) {
    const hasInitialiser = section.peek() === 0x40;
    if (hasInitialiser) section.skip(2); // 0x40 0x00
    checkTableType(section);
    if (hasInitialiser) skipConstantExpression(section);
  }
  section.expectEnd();
}

function checkTableType(section: Reader): void {
  skipValueType(section);
  const { min } = readLimits(section, 'table');
  if (min > MAX_TABLE_ELEMENTS) {
    throw new WasmProblem(`a table of ${min} elements, limit is ${MAX_TABLE_ELEMENTS}`);
  }
}

function readLimits(section: Reader, what: 'memory' | 'table'): Limits {
  const flags = section.byte();
  if (flags !== LIMITS_MIN && flags !== LIMITS_MIN_MAX) {
    if ((flags & ~7) !== 0) throw new WasmProblem(`malformed ${what} limits`);
    if ((flags & LIMITS_64) !== 0) throw new WasmProblem(`a 64-bit ${what} is not supported`);
    if ((flags & LIMITS_SHARED) !== 0) throw new WasmProblem(`a shared ${what} is not supported`);
  }
  const min = section.u32();
  const max = flags === LIMITS_MIN_MAX ? section.u32() : undefined;
  if (max !== undefined && max < min) {
    throw new WasmProblem(`a ${what} has maximum ${max} below its minimum ${min}`);
  }
  return { min, max };
}

/** A one-byte type, or `ref` / `ref null` followed by a heap type. */
function skipValueType(section: Reader): void {
  const type = section.byte();
  if (type === 0x63 || type === 0x64) section.skipLeb(5);
  else if (type < 0x40) throw new WasmProblem('malformed type');
}

/** Only what a table's initialiser is in practice: constants, function references and globals. */
function skipConstantExpression(section: Reader): void {
  for (;;) {
    const opcode = section.byte();
    switch (opcode) {
      case 0x0b: // end
        return;
      case 0x23: // global.get
      case 0xd2: // ref.func
        section.u32();
        break;
      case 0x41: // i32.const
      case 0xd0: // ref.null
        section.skipLeb(5);
        break;
      case 0xfb: // ref.i31 and other operators of garbage collection
        if (section.u32() !== 0x1c) throw new WasmProblem('a table initialiser is not supported');
        break;
      default:
        throw new WasmProblem('a table initialiser is not supported');
    }
  }
}

class MemoryCap {
  count = 0;
  #maxPages: number;

  constructor(maxPages: number) {
    this.#maxPages = maxPages;
  }

  /** The encoded limits of one memory, with a maximum. */
  cap({ min, max }: Limits): Uint8Array {
    this.count += 1;
    if (this.count > 1) throw new WasmProblem('more than one memory is not supported');
    if (min > this.#maxPages) {
      const limit = `${this.#maxPages} pages (${this.#maxPages / PAGES_PER_MIB} MiB)`;
      throw new WasmProblem(`needs ${min} pages of memory to begin with, limit is ${limit}`);
    }
    const capped = Math.min(max ?? this.#maxPages, this.#maxPages);
    return concat([Uint8Array.of(LIMITS_MIN_MAX), u32Bytes(min), u32Bytes(capped)]);
  }
}

/** Reads within bounds or throws; a count that lies runs into the end at once. */
class Reader {
  #bytes: Uint8Array;
  #end: number;
  position: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.position = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.position === this.#end;
  }

  expectEnd(): void {
    if (!this.isAtEnd) throw new WasmProblem('malformed: a section has trailing bytes');
  }

  peek(): number | undefined {
    return this.position < this.#end ? this.#bytes[this.position] : undefined;
  }

  byte(): number {
    const byte = this.peek();
    if (byte === undefined) throw new WasmProblem('malformed: ends in the middle');
    this.position += 1;
    return byte;
  }

  skip(count: number): void {
    if (count > this.#end - this.position) throw new WasmProblem('malformed: ends in the middle');
    this.position += count;
  }

  /** Unsigned LEB128, at most five bytes, nothing beyond 32 bits. */
  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift; // not <<, which is signed
      if (byte < 0x80) return value;
    }
    throw new WasmProblem('malformed: a number is too long');
  }

  skipLeb(maxBytes: number): void {
    for (let left = maxBytes; left > 0; left -= 1) {
      if (this.byte() < 0x80) return;
    }
    throw new WasmProblem('malformed: a number is too long');
  }

  /** A reader of the next `size` bytes, which this one steps over. */
  section(size: number): Reader {
    const start = this.position;
    this.skip(size);
    return new Reader(this.#bytes, start, this.position);
  }

  /** What was read since `start`. */
  slice(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.position);
  }
}

function u32Bytes(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
