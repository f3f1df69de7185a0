/**
 * WebAssembly that a Worker compiles itself: whether it may, and its memories capped. Out here, where no patched prototype
 * has a say.
 */
import { capMemory, WasmProblem } from '../../wasm-memory.ts';
import { type Holdings, type Service, type ServiceAnswer, ServiceError } from './service.ts';

const PAGE_BYTES = 64 * 1024;

export class WasmService implements Service {
  readonly #maxPages: number;
  readonly #maxBytes: number;

  constructor({ maxHeldBytes, maxWasmBytes }: Holdings) {
    this.#maxPages = Math.floor(maxHeldBytes / PAGE_BYTES);
    this.#maxBytes = maxWasmBytes;
  }

  /** `cap` takes a binary and answers it with each memory capped. Throws a TypeError that says what is wrong with it. */
  askSync(operation: string, _parameters: unknown, bytes: Uint8Array | undefined): ServiceAnswer {
    if (operation !== 'cap' || bytes === undefined) throw new ServiceError('Error', 'There is no such operation');
    if (this.#maxBytes === 0) {
      throw new ServiceError('TypeError', 'compiling from bytes is not allowed here; upload it as a module');
    }
    if (bytes.byteLength > this.#maxBytes) {
      const { byteLength } = bytes;
      throw new ServiceError('TypeError', `the binary has ${byteLength} bytes, limit is ${this.#maxBytes}`);
    }
    try {
      return { bytes: capMemory(bytes, this.#maxPages) };
    } catch (error) {
      if (error instanceof WasmProblem) throw new ServiceError('TypeError', error.message);
      throw error;
    }
  }

  ask(operation: string, parameters: unknown, bytes: Uint8Array | undefined): ServiceAnswer {
    return this.askSync(operation, parameters, bytes);
  }
}
