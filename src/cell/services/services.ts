/** The services of one instance, by name, each made when it is first asked. */
import type { WorkerLimits } from '../../limits.ts';
import { CryptoService } from './crypto/index.ts';
import { NodeCryptoService } from './node-crypto/index.ts';
import { type Asker, type Holdings, type Service, type ServiceAnswer, ServiceError } from './service.ts';
import { WasmService } from './wasm.ts';
import { ZlibService } from './zlib/index.ts';

const SERVICES: Readonly<Record<string, (holdings: Holdings) => Service>> = {
  crypto: (holdings) => new CryptoService(holdings),
  'node-crypto': (holdings) => new NodeCryptoService(holdings),
  wasm: (holdings) => new WasmService(holdings),
  zlib: (holdings) => new ZlibService(holdings),
};

const MIB = 1024 * 1024;
const MAX_PARAMETERS = 1024 * 1024; // characters: they are parsed on the thread that serves everybody
const MAX_MESSAGE = 1_024; // characters of an error's message that cross

export class Services implements Holdings {
  heldBytes = 0;
  readonly maxHeldBytes: number;
  readonly maxWasmBytes: number;
  readonly #made = new Map<string, Service>();

  constructor({ memoryMiB, wasmBinaryMiB }: Pick<WorkerLimits, 'memoryMiB' | 'wasmBinaryMiB'>) {
    this.maxHeldBytes = memoryMiB * MIB;
    this.maxWasmBytes = wasmBinaryMiB * MIB;
  }

  /** `operation` is `service.name`; `parameters` is JSON. Rejects as Service.ask does. */
  async ask(
    operation: string,
    parameters: string,
    bytes: Uint8Array | undefined,
    asker: Asker,
  ): Promise<ServiceAnswer> {
    const [service, name] = this.#find(operation);
    return service.ask(name, parse(parameters), bytes, asker);
  }

  /** Throws as Service.ask does. */
  askSync(operation: string, parameters: string, bytes: Uint8Array | undefined): ServiceAnswer {
    const [service, name] = this.#find(operation);
    if (service.askSync === undefined) throw new ServiceError('Error', `${operation} cannot be answered at once`);
    return service.askSync(name, parse(parameters), bytes);
  }

  dispose(): void {
    for (const service of this.#made.values()) service.dispose?.();
    this.#made.clear();
  }

  #find(operation: string): [service: Service, name: string] {
    const end = operation.indexOf('.');
    const name = operation.slice(0, end);
    let service = this.#made.get(name);
    if (service === undefined) {
      const make = Object.hasOwn(SERVICES, name) ? SERVICES[name] : undefined;
      if (make === undefined) throw new ServiceError('Error', 'There is no such service');
      service = make(this);
      this.#made.set(name, service);
    }
    return [service, operation.slice(end + 1)];
  }
}

function parse(parameters: string): unknown {
  if (parameters.length > MAX_PARAMETERS) {
    throw new RangeError(
      `The parameters of an operation are ${parameters.length} characters, limit is ${MAX_PARAMETERS}`,
    );
  }
  return JSON.parse(parameters);
}

/** `name\nmessage`, as the guest takes an error. Of what is not meant for it, nothing but that it failed. */
export function toErrorText(error: unknown): string {
  const isForGuest =
    error instanceof ServiceError ||
    error instanceof DOMException ||
    error instanceof TypeError ||
    error instanceof RangeError;
  if (!isForGuest) return 'OperationError\nThe operation failed';
  return `${error.name.replaceAll('\n', ' ')}\n${error.message.slice(0, MAX_MESSAGE)}`;
}
