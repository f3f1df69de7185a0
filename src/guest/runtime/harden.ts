/**
 * Takes away or wraps what a tenant must not have. Runs at boot, after the context has been made: V8 still adds to
 * these objects while it loads a snapshot, and some of them do not exist before.
 */
import { installClocks } from './clocks.ts';
import { installFinalization } from './finalization.ts';
import { reflectConstruct } from './intrinsics.ts';
import { replaceConstructor } from './replace.ts';
import { installWasm } from './wasm.ts';

// Atomics.wait blocks the thread, waitAsync never settles; a shared buffer would be a clock and has no other use here.
const REMOVED_GLOBALS = ['SharedArrayBuffer', 'Atomics'];

export function harden(): void {
  for (let i = 0; i < REMOVED_GLOBALS.length; i++) Reflect.deleteProperty(globalThis, REMOVED_GLOBALS[i]!);
  forbidCodeFromStrings();
  forbidResizableBuffers();
  installClocks();
  installFinalization();
  installWasm();
}

/**
 * Each of the four function constructors is reachable from any function of its kind by `constructor`, so that is where
 * it has to be replaced. `Object.getPrototypeOf(AsyncFunction)` is the native `Function`: the replacements point at
 * the replaced one instead.
 */
function forbidCodeFromStrings(): void {
  // A plain function: a call by that name is then no direct eval.
  replaceValue('eval', forbidden('eval'));
  const guestFunction = forbidden('Function');
  replaceConstructor('Function', Function, guestFunction);
  const kinds: [string, object][] = [
    ['AsyncFunction', async () => {}],
    ['GeneratorFunction', function* () {}],
    ['AsyncGeneratorFunction', async function* () {}],
  ];
  for (const [name, sample] of kinds) {
    const prototype = Object.getPrototypeOf(sample) as { constructor: { prototype: object } };
    const native = prototype.constructor;
    const replacement = forbidden(name);
    const { writable } = Object.getOwnPropertyDescriptor(prototype, 'constructor')!;
    replaceConstructor(name, native, replacement, null);
    Object.defineProperty(prototype, 'constructor', { value: replacement, writable: writable === true });
    Object.setPrototypeOf(replacement, guestFunction);
    // The native one is out of reach but for this link.
    Object.setPrototypeOf(native, guestFunction);
  }
}

/** V8 counts a resizable buffer by its first size only: grown, it would pass by the isolate's memory limit. */
function forbidResizableBuffers(): void {
  const NativeArrayBuffer = ArrayBuffer;
  function GuestArrayBuffer(length: unknown): object {
    if (new.target === undefined) throw new TypeError("Constructor ArrayBuffer requires 'new'");
    // oxlint-disable-next-line prefer-rest-params -- the length of the function has to stay 1
    const options: unknown = arguments[1];
    if (typeof options === 'object' && options !== null && 'maxByteLength' in options) {
      throw new RangeError('Resizable ArrayBuffers are not available');
    }
    return reflectConstruct(NativeArrayBuffer, [length], new.target) as object;
  }
  replaceConstructor('ArrayBuffer', NativeArrayBuffer, GuestArrayBuffer);
}

function forbidden(name: string): { prototype: object } {
  const constructor = function (): never {
    throw new EvalError('Code generation from strings disallowed for this context');
  };
  Object.defineProperty(constructor, 'name', { value: name, configurable: true });
  return constructor;
}

function replaceValue(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
}
