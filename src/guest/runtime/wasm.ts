/**
 * WebAssembly for tenants, with a cap on modules, memories, tables and instances. V8 counts none of these in the
 * isolate's memory limit, and each memory reserves 8 GB of address space. What a Worker compiles itself goes through the
 * host first, which caps its memories as it does those of an upload.
 */
import { limits } from './limits.ts';
import { copyBytes } from '../bytes.ts';
import type * as part from '../parts/wasm-compiler.ts';
import { requireArguments, toDOMString } from '../webidl.ts';
import {
  isView,
  promiseReject,
  promiseResolve,
  promiseThen,
  reflectApply,
  reflectConstruct,
  SafeWeakSet,
} from './intrinsics.ts';
import { loadPart } from './parts.ts';
import { replaceConstructor } from './replace.ts';
import { hasOwnMemory } from './wasm-binary.ts';

const PAGES_PER_MIB = 16; // of 64 KiB
const MAX_TABLE_ELEMENTS = 1_000_000; // 30 ms to make; V8's own cap of ten million takes 0.3 s, in which nothing stops it

const MAX_UINT32 = 0xffffffff;
const MAX_COMPILED_BYTES = 16 * 1024 * 1024; // of binaries that a Worker has compiled itself, alive; code takes about as much

const mathTrunc = Math.trunc;
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
/** Of modules that the Worker has compiled itself, alive. */
let compiledBytes = 0;

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

/** Instantiates a compiled module of the runtime's own with a small memory, which is not counted as the tenant's. */
export function instantiateUncounted(module: unknown): object | undefined {
  if (NativeInstance === undefined) return undefined;
  return (new NativeInstance(module) as { exports: object }).exports;
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
  const compiled = new NativeRegistry((byteLength: number) => {
    compiledBytes -= byteLength;
  });
  const nativeValidate = WebAssembly['validate'] as (bytes: Uint8Array) => boolean;

  function GuestModule(source: unknown, options: unknown): object {
    if (new.target === undefined) throw new TypeError("WebAssembly.Module must be invoked with 'new'");
    requireArguments(arguments.length, 1, 'WebAssembly.Module()');
    return compile(source, 'WebAssembly.Module()', { options: toCompileOptions(options), target: new.target });
  }
  const compile = (source: unknown, what: string, { options, target = GuestModule }: CompileRequest): object => {
    const binary = compiler().toBinary(source, (why) => new CompileError(`${what}: ${why}`));
    const { byteLength } = binary;
    if (compiledBytes + byteLength > MAX_COMPILED_BYTES) {
      throw new RangeError(
        `${what}: modules of ${compiledBytes} bytes are alive, and may have ${MAX_COMPILED_BYTES} with this one`,
      );
    }
    const ownMemory = hasOwnMemory(new Uint8Array(binary));
    const module = reflectConstruct<[ArrayBuffer, object | undefined], object>(
      Module as never,
      [binary, options],
      target as never,
    );
    compiledBytes += byteLength;
    compiled.register(module, byteLength);
    if (!ownMemory) withoutMemory.add(module);
    return module;
  };
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
  const instantiate = (module: object, imports: unknown): object =>
    reflectConstruct(GuestInstance, imports === undefined ? [module] : [module, imports]) as object;
  const checkImports = (imports: unknown): void => {
    if (imports === undefined || (typeof imports === 'object' && imports !== null) || typeof imports === 'function')
      return;
    throw new TypeError('WebAssembly.instantiate(): Argument 1 must be an object');
  };
  /** Settles later, as the standard has it. */
  const later = <T>(work: () => T): Promise<Awaited<T>> =>
    promiseThen(promiseResolve(undefined), work) as Promise<Awaited<T>>;
  // V8's own asynchronous versions need the event loop of a browser and never settle here.
  const functions = {
    compile(source: unknown, given?: unknown) {
      return attempt(() => {
        requireArguments(arguments.length, 1, 'WebAssembly.compile()');
        const copy = toCopy(source);
        const options = toCompileOptions(given);
        return later(() => compile(copy, 'WebAssembly.compile()', { options }));
      });
    },
    compileStreaming(source: unknown, given?: unknown) {
      return attempt(() => {
        requireArguments(arguments.length, 1, 'WebAssembly.compileStreaming()');
        const options = toCompileOptions(given);
        return promiseThen(compiler().readStreaming(source), (bytes) =>
          compile(bytes, 'WebAssembly.compileStreaming()', { options }),
        );
      });
    },
    instantiate(source: unknown, imports?: unknown, given?: unknown) {
      return attempt(() => {
        requireArguments(arguments.length, 1, 'WebAssembly.instantiate()');
        if (!isView(source) && isModule(source)) {
          checkImports(imports);
          return promiseResolve(instantiate(source as object, imports));
        }
        const copy = toCopy(source);
        checkImports(imports);
        const options = toCompileOptions(given);
        return later(() => both(compile(copy, 'WebAssembly.instantiate()', { options }), imports));
      });
    },
    instantiateStreaming(source: unknown, imports?: unknown, given?: unknown) {
      return attempt(() => {
        requireArguments(arguments.length, 1, 'WebAssembly.instantiateStreaming()');
        checkImports(imports);
        const options = toCompileOptions(given);
        return promiseThen(compiler().readStreaming(source), (bytes) =>
          both(compile(bytes, 'WebAssembly.instantiateStreaming()', { options }), imports),
        );
      });
    },
    validate(source: unknown) {
      requireArguments(arguments.length, 1, 'WebAssembly.validate()');
      const copy = toCopy(source);
      if (!reflectApply(nativeValidate, undefined, [copy])) return false;
      try {
        compiler().toBinary(copy, (why) => new CompileError(why));
        return true;
      } catch {
        return false;
      }
    },
  };
  const both = (module: object, imports: unknown): object => ({ module, instance: instantiate(module, imports) });
  const lengths = { compile: 1, compileStreaming: 1, instantiate: 1, instantiateStreaming: 1, validate: 1 };
  for (const [name, value] of Object.entries(functions)) {
    const length = lengths[name as keyof typeof lengths];
    Object.defineProperty(value, 'length', { value: length, configurable: true });
    Object.defineProperty(WebAssembly, name, { value, writable: true, enumerable: true, configurable: true });
  }
}

interface CompileRequest {
  readonly options: object | undefined;
  readonly target?: object;
}

/** `WebAssemblyCompileOptions` (JS string builtins), copied: each property is read once. */
function toCompileOptions(given: unknown): object | undefined {
  if (given === undefined || !isObject(given)) return undefined;
  const { builtins, importedStringConstants } = given;
  const names: string[] = [];
  if (builtins !== undefined) for (const name of builtins as Iterable<unknown>) names[names.length] = toDOMString(name);
  return {
    __proto__: null,
    builtins: builtins === undefined ? undefined : names,
    importedStringConstants:
      importedStringConstants === undefined || importedStringConstants === null
        ? undefined
        : toDOMString(importedStringConstants),
  };
}

function compiler(): typeof part {
  return loadPart('wasm-compiler') as unknown as typeof part;
}

/** The bytes as they are now: later the Worker may have changed them. */
function toCopy(source: unknown): Uint8Array {
  const copy = copyBytes(source);
  if (copy === undefined) throw new TypeError('WebAssembly: the source is not an ArrayBuffer or a view on one');
  return copy;
}

/** What a function of promises throws, as a rejection. */
function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return work();
  } catch (error) {
    return promiseReject(error);
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

/** Copies a descriptor (it may be a proxy: each property is read once, and in the standard's order) with its maximum lowered. */
function capMemory(descriptor: unknown): unknown {
  if (!isObject(descriptor)) return descriptor;
  const { isBounded, ...capped } = limitsOf(descriptor, limits.memoryMiB * PAGES_PER_MIB, 'WebAssembly.Memory');
  const { shared } = descriptor;
  if (shared && !isBounded) throw new TypeError('Cannot make a WebAssembly.Memory: a shared one needs a maximum');
  // No module can import a shared one: the host refuses such modules. So nothing can wait on it.
  return shared ? { ...capped, shared: true } : capped;
}

function capTable(descriptor: unknown): unknown {
  if (!isObject(descriptor)) return descriptor;
  const { element } = descriptor;
  const kind = typeof element === 'string' || element === undefined ? element : toDOMString(element);
  const { isBounded: _, ...capped } = limitsOf(descriptor, MAX_TABLE_ELEMENTS, 'WebAssembly.Table');
  return { element: kind, ...capped };
}

interface Limits {
  readonly initial?: number;
  readonly maximum: number;
  /** The descriptor has a maximum. */
  readonly isBounded: boolean;
}

function limitsOf(descriptor: Record<string, unknown>, limit: number, what: string): Limits {
  const initial = toSize(descriptor['initial'], 'initial', what);
  const maximum = toSize(descriptor['maximum'], 'maximum', what);
  const minimum = toSize(descriptor['minimum'], 'minimum', what);
  if (initial !== undefined && minimum !== undefined) {
    throw new TypeError(`Cannot make a ${what}: the descriptor has both an initial size and a minimum`);
  }
  const first = initial ?? minimum;
  if (first !== undefined && first > limit) {
    throw new RangeError(`Cannot make a ${what}: initial size is ${first}, limit is ${limit}`);
  }
  const most = maximum === undefined || maximum > limit ? limit : maximum;
  // A maximum below the initial size is for V8 to refuse.
  const isBounded = maximum !== undefined;
  return first === undefined ? { maximum: most, isBounded } : { initial: first, maximum: most, isBounded };
}

/** Web IDL `[EnforceRange] unsigned long`. */
function toSize(value: unknown, name: string, what: string): number | undefined {
  if (value === undefined) return undefined;
  const size = mathTrunc(Number(value));
  if (!(size >= 0 && size <= MAX_UINT32)) {
    throw new TypeError(`Cannot make a ${what}: the ${name} size is not an integer of 0 to ${MAX_UINT32}`);
  }
  return size;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
