/** What a service is, and what it has of its instance. */

export interface ServiceAnswer {
  /** JSON-safe. */
  readonly value?: unknown;
  readonly bytes?: Uint8Array;
  /**
   * CPU time spent for it on other threads, in µs; charged to the invocation. So is, without a word, what `ask` and
   * `askSync` do before they return.
   */
  readonly cpuUs?: number;
}

/** The invocation that a question is asked for. */
export interface Asker {
  /** It is over: nobody waits for an answer any more. */
  readonly finished: boolean;
  /** CPU time charged to it so far; for what has to be charged though there is no answer. */
  cpuUs: number;
}

export interface Service {
  /**
   * Answers an operation; `bytes` is the service's to keep. Throws, or rejects with, a ServiceError, TypeError,
   * RangeError or DOMException for what the guest is to see; anything else becomes a plain "failed".
   */
  ask(
    operation: string,
    parameters: unknown,
    bytes: Uint8Array | undefined,
    asker: Asker,
  ): Promise<ServiceAnswer> | ServiceAnswer;
  /** The same for what is answered at once, on this thread, which serves everybody: for short work only. */
  askSync?(operation: string, parameters: unknown, bytes: Uint8Array | undefined): ServiceAnswer;
  /** The instance has gone. */
  dispose?(): void;
}

/** What services keep for their instance outside the isolate, counted as its memory. */
export interface Holdings {
  heldBytes: number;
  readonly maxHeldBytes: number;
  /** Of each WebAssembly binary that the Worker compiles itself; 0: it may not. */
  readonly maxWasmBytes: number;
}

/** An error for the guest to see, by the name it is to have: `Error`, `TypeError`, `RangeError` or a DOMException's. */
export class ServiceError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}
