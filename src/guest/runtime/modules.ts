/** Values that the engine makes modules of: what is not JavaScript, and the modules of the runtime's own. */
import { utf8Decode } from '../fetch/platform.ts';
import { findBuiltin } from './builtins.ts';
import { jsonParse } from './intrinsics.ts';
import { compileModule } from './wasm.ts';

const values: unknown[] = [];

/** Keeps a value; answers its slot. */
export function keep(value: unknown): number {
  values[values.length] = value;
  return values.length - 1;
}

export function take(slot: number): unknown {
  return values[slot];
}

/** Makes the default export of a module from its bytes and keeps it. */
export function provide(kind: 'text' | 'data' | 'json' | 'wasm', bytes: ArrayBuffer): number {
  return keep(toValue(kind, bytes));
}

/** Keeps the exports of a module of the runtime's own: see `GuestEntryPoints`. */
export function builtin(specifier: string): string {
  const exports = findBuiltin(specifier);
  if (exports === undefined) return '';
  let names = '';
  for (const name in exports) names += names === '' ? name : `,${name}`;
  return `${keep(exports)}\n${names}`;
}

function toValue(kind: 'text' | 'data' | 'json' | 'wasm', bytes: ArrayBuffer): unknown {
  switch (kind) {
    case 'text':
      return utf8Decode(new Uint8Array(bytes));
    case 'data':
      return bytes;
    case 'json':
      return jsonParse(utf8Decode(new Uint8Array(bytes)));
    case 'wasm':
      return compileModule(bytes);
    default:
      throw new TypeError('Unknown kind of module');
  }
}
