/**
 * WebAssembly for tenants: precompiled modules only, and a cap on memories, tables and instances. V8 counts none of
 * these in the isolate's memory limit, and each memory reserves 8 GB of address space.
 */
import { limits } from './limits.ts';
import { isView, promiseReject, promiseResolve, reflectApply, reflectConstruct, SafeWeakSet } from './intrinsics.ts';
import { replaceConstructor } from './replace.ts';
import { hasOwnMemory } from './wasm-binary.ts';

const PAGES_PER_MIB = 16; // of 64 KiB
const MAX_TABLE_ELEMENTS = 10_000_000; // V8's own cap on the initial size: 80 MB of pointers

const NativeRegistry = FinalizationRegistry; // captured before tenants get the queueing one

type Constructor = new (...args: unknown[]) => object;
interface Namespace {
  Module: Constructor;
  Instance: Constructor;
  Memory: Constructor;
  Table: Constructor;
  CompileError: new (message: string) => Error;
  RuntimeError: new (message: string) => Error;
  [key: string]: unknown;
}

let NativeModule: Constructor | undefined;
let NativeInstance: Constructor | undefined;
let NativeRuntimeError: (new (message: string) => Error) | undefined;
/** Modules whose instances bring no memory of their own: those need not be counted. */
const withoutMemory = new SafeWeakSet<object>();
/** Memories, tables, and instances with a memory of their own, alive. */
let alive = 0;
let counter: FinalizationRegistry<undefined> | undefined;

/** Compiles a module of the version's upload, where its memories were capped. Not reachable by tenants. */
export function compileModule(bytes: ArrayBuffer): object {
  if (NativeModule === undefined) throw new TypeError('WebAssembly is not available');
  const module = new NativeModule(bytes);
  if (!hasOwnMemory(new Uint8Array(bytes))) withoutMemory.add(module);
  return module;
}

/** Instantiates a binary of the runtime's own, whose memory has a maximum. Counted as one of the tenant's. */
export function instantiateOwn(bytes: ArrayBuffer, imports: object): object {
  const Instance = NativeInstance;
  if (NativeModule === undefined || Instance === undefined) throw new TypeError('WebAssembly is not available');
  // V8 compiles the same bytes once in a process.
  const module = new NativeModule(bytes);
  const instance = counted(() => new Instance(module, imports));
  return (instance as { exports: object }).exports;
}

/** Did WebAssembly code end in a trap? Its instance is not to be entered again. */
export function isTrap(error: unknown): boolean {
  return NativeRuntimeError !== undefined && error instanceof NativeRuntimeError;
}

export function installWasm(): void {
  const { WebAssembly } = globalThis as unknown as { WebAssembly?: Namespace };
  if (WebAssembly === undefined) return;
  const { Module, Instance, Memory, Table, CompileError, RuntimeError } = WebAssembly;
  NativeModule = Module;
  NativeInstance = Instance;
  NativeRuntimeError = RuntimeError;
  counter = new NativeRegistry(() => {
    alive--;
  });

  const refuse = (what: string): Error => new CompileError(`${what}: Wasm code generation disallowed by embedder`);
  function GuestModule(): never {
    throw refuse('WebAssembly.Module()');
  }
  function GuestInstance(module: unknown, imports: unknown): object {
    if (new.target === undefined) throw new TypeError("WebAssembly.Instance must be invoked with 'new'");
    const target = new.target;
    const make = (): object =>
      reflectConstruct(Instance, imports === undefined ? [module] : [module, imports], target) as object;
    return withoutMemory.has(module as object) ? make() : counted(make);
  }
  function GuestMemory(descriptor: unknown): object {
    if (new.target === undefined) throw new TypeError("WebAssembly.Memory must be invoked with 'new'");
    const capped = capMemory(descriptor);
    return counted(() => reflectConstruct(Memory, [capped], new.target) as object);
  }
  function GuestTable(descriptor: unknown, value: unknown): object {
    if (new.target === undefined) throw new TypeError("WebAssembly.Table must be invoked with 'new'");
    const capped = capTable(descriptor);
    // oxlint-disable-next-line prefer-rest-params -- a value of undefined is not the same as none
    const given = arguments.length < 2 ? [capped] : [capped, value];
    return counted(() => reflectConstruct(Table, given, new.target) as object);
  }
  replaceConstructor('Module', Module, GuestModule, WebAssembly);
  replaceConstructor('Instance', Instance, GuestInstance, WebAssembly);
  replaceConstructor('Memory', Memory, GuestMemory, WebAssembly);
  replaceConstructor('Table', Table, GuestTable, WebAssembly);

  const isModule = (value: unknown): boolean => {
    try {
      reflectApply(exportsOf, undefined, [value]);
      return true;
    } catch {
      return false;
    }
  };
  const exportsOf = (Module as unknown as { exports(module: unknown): unknown }).exports;
  // V8's own asynchronous versions need the event loop of a browser and never settle here.
  const functions = {
    compile: () => promiseReject(refuse('WebAssembly.compile()')),
    compileStreaming: () => promiseReject(refuse('WebAssembly.compileStreaming()')),
    instantiateStreaming: () => promiseReject(refuse('WebAssembly.instantiateStreaming()')),
    instantiate: (source: unknown, imports?: unknown) => {
      try {
        if (isView(source) || !isModule(source)) throw refuse('WebAssembly.instantiate()');
        return promiseResolve(reflectConstruct(GuestInstance, [source, imports]) as object);
      } catch (error) {
        return promiseReject(error);
      }
    },
    validate: () => {
      throw refuse('WebAssembly.validate()');
    },
  };
  for (const [name, value] of Object.entries(functions)) {
    Object.defineProperty(WebAssembly, name, { value, writable: true, enumerable: true, configurable: true });
  }
}

/** Makes one more object that holds memory outside the heap, unless there are too many already. */
function counted(make: () => object): object {
  if (alive >= limits.maxWasmInstances) {
    throw new RangeError(
      `Cannot make another WebAssembly object: ${alive} are alive, the limit is ${limits.maxWasmInstances}`,
    );
  }
  const made = make();
  alive++;
  counter!.register(made, undefined);
  return made;
}

/** Copies a descriptor (it may be a proxy: each property is read once) with its maximum lowered to the limit. */
function capMemory(descriptor: unknown): unknown {
  if (typeof descriptor !== 'object' || descriptor === null) return descriptor;
  const { initial, maximum, minimum } = descriptor as Record<string, unknown>;
  const limit = limits.wasmMemoryMiB * PAGES_PER_MIB;
  return limitsOf(initial ?? minimum, maximum, limit, 'WebAssembly.Memory');
}

function capTable(descriptor: unknown): unknown {
  if (typeof descriptor !== 'object' || descriptor === null) return descriptor;
  const { initial, maximum, minimum, element } = descriptor as Record<string, unknown>;
  return { ...limitsOf(initial ?? minimum, maximum, MAX_TABLE_ELEMENTS, 'WebAssembly.Table'), element };
}

function limitsOf(
  initial: unknown,
  maximum: unknown,
  limit: number,
  what: string,
): { initial: unknown; maximum: number } {
  const first = Number(initial);
  const most = maximum === undefined ? limit : Number(maximum);
  if (first > limit) throw new RangeError(`Cannot make a ${what}: initial size is ${first}, limit is ${limit}`);
  return { initial: initial === undefined ? undefined : first, maximum: most > limit ? limit : most };
}
