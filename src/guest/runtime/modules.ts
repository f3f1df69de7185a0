/** Modules that are not JavaScript: made into values here, imported by the tenant's code as default exports. */
import { utf8Decode } from '../fetch/platform.ts';
import { jsonParse } from './intrinsics.ts';
import { compileModule } from './wasm.ts';

const values: unknown[] = [];

/** Makes the default export of a module from its bytes and keeps it; answers its index. */
export function provide(kind: 'text' | 'data' | 'json' | 'wasm', bytes: ArrayBuffer): number {
  values[values.length] = toValue(kind, bytes);
  return values.length - 1;
}

export function take(index: number): unknown {
  return values[index];
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
