/**
 * Takes away or wraps what a tenant must not have. Runs at boot, after the context has been made: V8 still adds to
 * these objects while it loads a snapshot, and some of them do not exist before.
 */
import { installBuffers } from './buffers.ts';
import { installClocks } from './clocks.ts';
import { installFinalization } from './finalization.ts';
import { replaceConstructor } from './replace.ts';
import { installWasm } from './wasm.ts';

export function harden(): void {
  // `wait` blocks the thread, what `waitAsync` promises never comes.
  for (const name of ['wait', 'waitAsync']) Reflect.deleteProperty(Atomics, name);
  forbidCodeFromStrings();
  installBuffers();
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
