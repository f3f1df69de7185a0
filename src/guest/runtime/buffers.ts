/**
 * Buffers that can grow. V8 counts them by their first size only, so what they may grow to is counted here: all that
 * are alive together stay below the isolate's memory limit.
 */
import { arrayBufferMaxByteLength, arrayBufferResizable } from '../primordials.ts';
import { objectDefineProperty, reflectApply, reflectConstruct } from './intrinsics.ts';
import { limits } from './limits.ts';
import { replaceConstructor } from './replace.ts';

const NativeArrayBuffer = ArrayBuffer;
const NativeRegistry = FinalizationRegistry; // captured before tenants get the queueing one
const { transfer, transferToFixedLength } = ArrayBuffer.prototype;

let reserved = 0;
let registry: FinalizationRegistry<number> | undefined;

/** At boot: `ArrayBuffer` as tenants know it. `SharedArrayBuffer` cannot grow: there is nobody to share it with. */
export function installBuffers(): void {
  registry = new NativeRegistry((bytes) => {
    reserved -= bytes;
  });
  function GuestArrayBuffer(length: unknown): object {
    if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'");
    // oxlint-disable-next-line prefer-rest-params -- the length of the function has to stay 1
    const maximum = readMaximum(arguments[1]);
    if (maximum === undefined) return reflectConstruct(NativeArrayBuffer, [length], new.target) as object;
    return createCounted(length, maximum, new.target);
  }
  replaceConstructor('ArrayBuffer', NativeArrayBuffer, GuestArrayBuffer);
  const methods = {
    transfer(this: ArrayBuffer): ArrayBuffer {
      const before = maximumOf(this);
      // oxlint-disable-next-line prefer-rest-params -- an argument of undefined is as good as none
      return moved(before, this, reflectApply(transfer, this, arguments) as ArrayBuffer);
    },
    transferToFixedLength(this: ArrayBuffer): ArrayBuffer {
      const before = maximumOf(this);
      // oxlint-disable-next-line prefer-rest-params -- as above
      return moved(before, this, reflectApply(transferToFixedLength, this, arguments) as ArrayBuffer);
    },
  };
  for (const name of ['transfer', 'transferToFixedLength'] as const) {
    objectDefineProperty(NativeArrayBuffer.prototype, name, {
      value: methods[name],
      writable: true,
      enumerable: false,
      configurable: true,
    });
  }
  const { SharedArrayBuffer: NativeShared } = globalThis as { SharedArrayBuffer?: { prototype: object } };
  if (NativeShared === undefined) return; // while the snapshot is made
  function GuestSharedArrayBuffer(length: unknown): object {
    if (new.target === undefined) throw new TypeError("Constructor SharedArrayBuffer requires 'new'");
    // oxlint-disable-next-line prefer-rest-params -- as above
    if (readMaximum(arguments[1]) !== undefined) {
      throw new RangeError('Growable SharedArrayBuffers are not available');
    }
    return reflectConstruct(NativeShared as unknown as NewableFunction, [length], new.target) as object;
  }
  replaceConstructor('SharedArrayBuffer', NativeShared, GuestSharedArrayBuffer);
}

/** A buffer that can grow up to `maximum` bytes. Throws a RangeError beyond the limit. */
export function createResizable(length: number, maximum: number): ArrayBuffer {
  return createCounted(length, maximum, NativeArrayBuffer) as ArrayBuffer;
}

/** The buffer's bytes in a new one; it is detached. */
export function transferBuffer(buffer: ArrayBuffer): ArrayBuffer {
  const before = maximumOf(buffer);
  return moved(before, buffer, reflectApply(transfer, buffer, []));
}

function createCounted(length: unknown, maximum: number, target: object): object {
  if (maximum > limits.memoryMiB * 1024 * 1024 - reserved) throw new RangeError('Array buffer allocation failed');
  const buffer = reflectConstruct(
    NativeArrayBuffer,
    [length, { maxByteLength: maximum }],
    target as NewableFunction,
  ) as object;
  reserved += maximum;
  registry!.register(buffer, maximum, buffer);
  return buffer;
}

function maximumOf(buffer: ArrayBuffer): number {
  return arrayBufferResizable(buffer) ? arrayBufferMaxByteLength(buffer) : 0;
}

/** What `from` was counted for is now `to`'s, unless that has a fixed length. */
function moved(maximum: number, from: ArrayBuffer, to: ArrayBuffer): ArrayBuffer {
  // One that was made by WebAssembly is not among them, and cannot be transferred either.
  if (maximum === 0 || !registry!.unregister(from)) return to;
  if (arrayBufferResizable(to)) registry!.register(to, maximum, to);
  else reserved -= maximum;
  return to;
}

/** Of constructor options, read once; undefined for a buffer of fixed length. */
function readMaximum(options: unknown): number | undefined {
  if ((typeof options !== 'object' && typeof options !== 'function') || options === null) return undefined;
  const { maxByteLength } = options as { maxByteLength?: unknown };
  if (maxByteLength === undefined) return undefined;
  const maximum = Math.trunc(Number(maxByteLength)) || 0;
  if (maximum < 0 || maximum > Number.MAX_SAFE_INTEGER) throw new RangeError('Invalid array buffer max length');
  return maximum;
}
