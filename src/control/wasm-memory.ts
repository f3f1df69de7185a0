/** Caps the linear memory of an uploaded WebAssembly module: the engine's heap limit does not see it. */
import { PlatformError } from '../errors.ts';
import { capMemory, WasmProblem } from '../wasm-memory.ts';

const PAGES_PER_MIB = 16;

/** The module with every memory's maximum at most `memoryMiB`. Throws `invalidUpload` as `capMemory` throws. */
export function capWasmMemory(
  binary: Uint8Array,
  { name, memoryMiB }: { name: string; memoryMiB: number },
): Uint8Array {
  try {
    return capMemory(binary, memoryMiB * PAGES_PER_MIB);
  } catch (error) {
    if (!(error instanceof WasmProblem)) throw error;
    throw new PlatformError('invalidUpload', `WebAssembly module '${name}': ${error.message}`);
  }
}
