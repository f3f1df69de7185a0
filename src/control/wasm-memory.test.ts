import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { PlatformError } from '../errors.ts';
import { capWasmMemory } from './wasm-memory.ts';

// @types/node declares only parts of it, and the DOM's declarations are not loaded.
interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    validate(bytes: Uint8Array): boolean;
    Memory: new () => WasmMemory;
    Module: (new (bytes: Uint8Array) => object) & {
      imports(module: object): { module: string; name: string }[];
    };
    Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
  };
};

const MEMORY_MIB = 1; // 16 pages
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
const OPTIONS = { name: 'a.wasm', memoryMiB: MEMORY_MIB };

describe('capWasmMemory()', () => {
  it('gives a memory without maximum one at the limit', () => {
    const capped = cap(section(5, [1, 0x00, 2]), exported('memory', 2, 0));
    assert.deepEqual(capped, wasm(section(5, [1, 0x01, 2, 16]), exported('memory', 2, 0)));
    assert.equal(grownPages(capped), 16);
  });

  it('lowers a maximum above the limit and keeps one below it', () => {
    assert.deepEqual(cap(section(5, [1, 0x01, 2, 0x80, 0x80, 4])), wasm(section(5, [1, 0x01, 2, 16])));
    assert.deepEqual(cap(section(5, [1, 0x01, 2, 3])), wasm(section(5, [1, 0x01, 2, 3])));
  });

  it('lets a memory begin at the limit, and not one page above it', () => {
    assert.deepEqual(cap(section(5, [1, 0x00, 16])), wasm(section(5, [1, 0x01, 16, 16])));
    rejects(/needs 17 pages of memory to begin with, limit is 16 pages \(1 MiB\)/, section(5, [1, 0x00, 17]));
  });

  it('caps an imported memory among other imports, leaving those as they are', () => {
    const before = [...text('env'), ...text('f'), 0, 0, ...text('e'), ...text('t'), 1, 0x70, 0x00, 5];
    const after = [...text('e'), ...text('g'), 3, 0x7f, 0];
    const memory = (...limits: number[]): number[] => [...text('env'), ...text('m'), 2, ...limits];
    const types = section(1, [1, 0x60, 0, 0]);
    const capped = cap(types, section(2, [4, ...before, ...memory(0x00, 1), ...after]));
    assert.deepEqual(capped, wasm(types, section(2, [4, ...before, ...memory(0x01, 1, 16), ...after])));
    assert.ok(WebAssembly.validate(capped));
  });

  it('returns a module without memory as it came', () => {
    const binary = wasm(section(1, [1, 0x60, 0, 0]), section(0, [...text('name'), 1, 2, 3]));
    assert.equal(capWasmMemory(binary, OPTIONS), binary);
  });

  it('grows the size field of a section when its content needs it', () => {
    // 127 bytes of content become 128: the size takes two bytes then.
    const imports = [1, ...text('m'.repeat(119)), ...text('n'), 2, 0x00, 1];
    assert.equal(imports.length, 126);
    const padded = [1, ...text('m'.repeat(120)), ...text('n'), 2, 0x00, 1];
    const capped = cap(section(2, padded));
    assert.ok(WebAssembly.validate(capped));
    assert.equal(capped.length, wasm(section(2, padded)).length + 2);
  });

  it('refuses what it cannot cap', () => {
    rejects(/a shared memory is not supported/, section(5, [1, 0x03, 1, 2]));
    rejects(/a 64-bit memory is not supported/, section(5, [1, 0x04, 1]));
    rejects(/a 64-bit memory is not supported/, section(5, [1, 0x05, 1, 2]));
    rejects(/malformed memory limits/, section(5, [1, 0x08, 1, 0]));
    rejects(/more than one memory/, section(5, [2, 0x00, 1, 0x00, 1]));
    const imported = section(2, [1, ...text('e'), ...text('m'), 2, 0x00, 1]);
    rejects(/more than one memory/, imported, section(5, [1, 0x00, 1]));
  });

  it('lets a table have a million elements, and not one more', () => {
    const table = (elements: number): number[] => section(4, [1, 0x70, 0x00, ...leb(elements)]);
    assert.doesNotThrow(() => cap(table(1_000_000)));
    rejects(/a table of 1000001 elements, limit is 1000000/, table(1_000_001));
    const imported = section(2, [1, ...text('e'), ...text('t'), 1, 0x70, 0x00, ...leb(1_000_001)]);
    rejects(/a table of 1000001 elements/, imported);
  });

  it('reads tables with an initialiser', () => {
    const typed = section(4, [1, 0x40, 0x00, 0x63, 0x70, 0x00, 1, 0xd0, 0x70, 0x0b]);
    assert.doesNotThrow(() => cap(typed));
    rejects(/a table initialiser is not supported/, section(4, [1, 0x40, 0x00, 0x70, 0x00, 1, 0x10, 0x0b]));
  });

  it('refuses malformed binaries', () => {
    for (const bytes of [
      [],
      HEADER.slice(0, 7),
      [0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0], // a component
      [...HEADER, 5],
      [...HEADER, 5, 100, 1],
      [...HEADER, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], // a size of more than 32 bits
      [...HEADER, ...section(5, [0xff, 0xff, 0xff, 0xff, 0x0f])], // 2^32 - 1 memories, none there
      [...HEADER, ...section(5, [1, 0x00, 1, 0])],
      [...HEADER, ...section(5, [1, 0x01, 3, 2])],
      [...HEADER, ...section(2, [1, 0xff, 0xff, 0xff, 0xff, 0x0f])],
      [...HEADER, ...section(2, [1, 0, 0, 9])],
    ]) {
      assert.throws(() => capWasmMemory(Uint8Array.from(bytes), OPTIONS), { code: 10021 });
    }
  });

  it('takes any bytes: what it lets through has no memory above the limit, the rest is refused', () => {
    const seed = wasm(
      section(1, [1, 0x60, 0, 0]),
      section(2, [1, ...text('e'), ...text('f'), 0, 0]),
      section(4, [1, 0x70, 0x00, 1]),
      section(5, [1, 0x00, 2]),
      exported('memory', 2, 0),
    );
    const mutation = fc.tuple(fc.nat(seed.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 4 }), fc.nat(seed.length), (mutations, cut) => {
        const binary = Uint8Array.from(seed);
        for (const [at, byte] of mutations) binary[at] = byte;
        const capped = capOrUndefined(cut % 5 === 0 ? binary.subarray(0, cut) : binary);
        if (capped === undefined || !WebAssembly.validate(capped)) return;
        const pages = grownPages(capped);
        assert.ok(pages === undefined || pages <= MEMORY_MIB * 16, `${pages} pages`);
      }),
      { numRuns: 20_000 },
    );
  });
});

function cap(...sections: number[][]): Uint8Array {
  return capWasmMemory(wasm(...sections), OPTIONS);
}

function capOrUndefined(binary: Uint8Array): Uint8Array | undefined {
  try {
    return capWasmMemory(binary, OPTIONS);
  } catch (error) {
    assert.ok(error instanceof PlatformError, String(error));
    return undefined;
  }
}

/** How far the exported memory can really grow, or `undefined` when the module cannot be instantiated on its own. */
function grownPages(binary: Uint8Array): number | undefined {
  const module = new WebAssembly.Module(binary);
  const stubs = Object.fromEntries(
    WebAssembly.Module.imports(module).map(({ module: from, name }) => [from, { [name]: () => 0 }]),
  );
  let exports: Record<string, unknown>;
  try {
    ({ exports } = new WebAssembly.Instance(module, stubs));
  } catch {
    return undefined;
  }
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
  if (memory === undefined) return undefined;
  let pages = memory.buffer.byteLength / 65_536;
  for (let step = 4_096; step >= 1; step = Math.floor(step / 2)) {
    try {
      memory.grow(step);
      pages += step;
    } catch {
      // at the limit for this step
    }
  }
  return pages;
}

function rejects(message: RegExp, ...sections: number[][]): void {
  assert.throws(() => cap(...sections), { name: 'PlatformError', code: 10021, message });
}

function wasm(...sections: number[][]): Uint8Array {
  return Uint8Array.from([...HEADER, ...sections.flat()]);
}

function section(id: number, content: number[]): number[] {
  return [id, ...leb(content.length), ...content];
}

function exported(name: string, kind: number, index: number): number[] {
  return section(7, [1, ...text(name), kind, index]);
}

function text(value: string): number[] {
  return [...leb(value.length), ...Buffer.from(value)];
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value % 0x80) + 0x80, ...leb(Math.floor(value / 0x80))];
}
