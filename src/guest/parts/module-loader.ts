/** `import()`, `import.meta` and CommonJS: what modules ask of the runtime while they run. */
import { HOST, HOST_SYNC } from '../abi.ts';
import {
  currentInvocation,
  findBuiltin,
  hold,
  hostSync,
  type Invocation,
  jsonParse,
  keep,
  limits,
  NativePromise,
  nextId,
  objectCreate,
  objectDefineProperty,
  reflectApply,
  regExpExec,
  release,
  type Resource,
  SafeMap,
  send,
  setCurrentInvocation,
  stringSlice,
  take,
  toDOMString,
  URL,
} from '../shared.ts';

const MAX_SPECIFIER = 2_048; // characters; a name in an upload has at most a few hundred
const BASE_URL = 'file:///bundle/'; // the upload as a folder: engine/specifiers.ts knows it too

const PLAIN_NAME = /^[\w-]+(?:[./][\w-]+)*$/;

const calls = new SafeMap<number, ImportCall>();
const namespaces = new SafeMap<number, object>();
const failures = new SafeMap<number, { readonly error: unknown }>();
/** Calls that wait for a top-level await, by the key of the module. */
const waiting = new SafeMap<number, ImportCall[]>();

/** One `import()`. Of an event's, unless the top level of a module asks. */
class ImportCall implements Resource {
  readonly id = nextId();
  readonly invocation: Invocation | undefined;
  readonly asker: number;
  readonly specifier: string;
  readonly resolve: (namespace: object) => void;
  readonly reject: (reason: unknown) => void;

  constructor(
    { asker, specifier }: { asker: number; specifier: string },
    resolve: (namespace: object) => void,
    reject: (reason: unknown) => void,
  ) {
    this.invocation = currentInvocation();
    this.asker = asker;
    this.specifier = specifier;
    this.resolve = resolve;
    this.reject = reject;
  }

  start(): void {
    calls.set(this.id, this);
    if (this.invocation !== undefined) hold(this.invocation, this);
    this.ask();
  }

  ask(): void {
    send(HOST.import, this.id, this.invocation?.id ?? 0, this.asker, this.specifier);
  }

  drop(): void {
    calls.delete(this.id);
    if (this.invocation !== undefined) release(this.invocation, this);
  }
}

/** See `GuestEntryPoints`. */
export function importer(name: string, isMain: boolean): number {
  const url = toUrl(name);
  const meta = objectCreate(null) as Record<string, unknown>;
  meta['url'] = url;
  meta['main'] = isMain;
  meta['resolve'] = (specifier: unknown): string => new URL(specifier as string, url).href;
  const asker = { slot: -1 };
  asker.slot = keep(createLoad(asker, meta));
  return asker.slot;
}

/** What stands for `import` in a module: a function with the property `meta`. */
function createLoad(asker: { readonly slot: number }, meta: object): object {
  const load = (specifier: unknown, options?: unknown): Promise<object> =>
    new NativePromise((resolve, reject) => {
      const text = toDOMString(specifier);
      if (options !== undefined && (typeof options !== 'object' || options === null)) {
        throw new TypeError('The second argument of import() must be an object');
      }
      startImport(asker.slot, text, resolve, reject);
    });
  objectDefineProperty(load, 'meta', { value: meta });
  return load;
}

function startImport(
  asker: number,
  specifier: string,
  resolve: (namespace: object) => void,
  reject: (reason: unknown) => void,
): void {
  if (currentInvocation()?.closed === true) {
    throw new Error('Cannot import a module: the event that this code belongs to is over.');
  }
  if (specifier.length > MAX_SPECIFIER) {
    throw new TypeError(`Cannot import a module: its specifier has more than ${MAX_SPECIFIER} characters`);
  }
  if (calls.size >= limits.maxPendingHostCalls) {
    throw new Error(`Too many pending imports: a Worker may have ${limits.maxPendingHostCalls} at once`);
  }
  new ImportCall({ asker, specifier }, resolve, reject).start();
}

/** `ENTER.import`. */
export function beginImport(id: number): boolean {
  setCurrentInvocation(undefined);
  return calls.get(id) !== undefined;
}

/** `ENTER.imported`. */
export function endImport(id: number, failure: string, key: number): boolean {
  const call = calls.get(id);
  if (failure !== '') {
    const error = toError(failure, key);
    if (call === undefined) return false;
    call.drop();
    setCurrentInvocation(call.invocation);
    call.reject(error);
    return false;
  }
  const namespace = namespaces.get(key);
  if (namespace === undefined) {
    if (call === undefined) return true;
    const others = waiting.get(key);
    if (others === undefined) waiting.set(key, [call]);
    else others[others.length] = call;
    return true;
  }
  if (call === undefined) return false;
  call.drop();
  setCurrentInvocation(call.invocation);
  call.resolve(namespace);
  return false;
}

/** See `GuestEntryPoints`. Whoever waited asks again, so that each goes on in an entry of its own event. */
export function put(key: number, namespace: object): void {
  namespaces.set(key, namespace);
  const calls = waiting.get(key);
  if (calls === undefined) return;
  waiting.delete(key);
  for (let i = 0; i < calls.length; i++) calls[i]!.ask();
}

/** The same error for everyone who imports the module. */
function toError(description: string, key: number): unknown {
  const known = failures.get(key);
  if (known !== undefined) return known.error;
  const described = jsonParse(description) as { name?: string; message?: string; stack?: string; thrown?: unknown };
  const error = described.name === undefined ? described.thrown : newError(described);
  if (key >= 0) failures.set(key, { error });
  return error;
}

function newError({ name, message, stack }: { name?: string; message?: string; stack?: string }): Error {
  const error = newOfKind(name ?? 'Error', message);
  if (name !== undefined && error.name !== name) define(error, 'name', name);
  if (stack !== undefined && stack !== '') define(error, 'stack', stack);
  return error;
}

function newOfKind(name: string, message: string | undefined): Error {
  switch (name) {
    case 'EvalError':
      return new EvalError(message);
    case 'RangeError':
      return new RangeError(message);
    case 'ReferenceError':
      return new ReferenceError(message);
    case 'SyntaxError':
      return new SyntaxError(message);
    case 'TypeError':
      return new TypeError(message);
    case 'URIError':
      return new URIError(message);
    default:
      return new Error(message);
  }
}

interface CommonJsModule {
  exports: unknown;
  readonly id: string;
  loaded: boolean;
}

type Factory = (exports: unknown, require: unknown, module: CommonJsModule, load: unknown) => void;

const runners = new SafeMap<number, () => unknown>();

/** See `GuestEntryPoints`. Who requires it while it runs gets the exports as they are then. */
export function commonJs(factory: unknown, name: string): number {
  const asker = { slot: -1 };
  let module: CommonJsModule | undefined;
  const run = (): unknown => {
    if (module !== undefined) return module.exports;
    if (typeof factory !== 'function') throw new SyntaxError(`${name} is not a CommonJS module`);
    const exports = {};
    const started: CommonJsModule = { exports, id: name, loaded: false };
    module = started;
    const load = createLoad(asker, objectCreate(null) as object);
    try {
      reflectApply(factory as Factory, exports, [exports, createRequire(asker.slot, name), started, load]);
    } catch (error) {
      module = undefined; // who requires it again runs it again
      throw error;
    }
    started.loaded = true;
    return started.exports;
  };
  asker.slot = keep(run);
  runners.set(asker.slot, run);
  return asker.slot;
}

function createRequire(asker: number, name: string): (specifier: unknown) => unknown {
  return (specifier) => {
    if (typeof specifier !== 'string') throw new TypeError('The specifier given to require() must be a string');
    const found = hostSync(HOST_SYNC.resolve, asker, specifier) as string | undefined;
    if (found === undefined) return requireBuiltin(specifier, name);
    const number = +stringSlice(found, 1);
    if (found[0] === 'c') return runners.get(number)!();
    if (found[0] === 'v') return take(number);
    const namespace = namespaces.get(number);
    if (namespace !== undefined) return 'module.exports' in namespace ? namespace['module.exports'] : namespace;
    throw new Error(
      `Cannot require the ES module "${specifier}" here, since it has not been evaluated: ` +
        'name it in a require() with a literal, or use import()',
    );
  };
}

function requireBuiltin(specifier: string, name: string): unknown {
  const exports = findBuiltin(specifier);
  if (exports !== undefined) return 'default' in exports ? exports['default'] : exports;
  const error = new Error(`No such module "${specifier}".\n  required from "${name}"`);
  define(error, 'code', 'MODULE_NOT_FOUND');
  throw error;
}

function define(target: object, name: string, value: string): void {
  objectDefineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
}

/** A name of the upload may hold what has a meaning in a URL; most do not, and save the parser's first use. */
function toUrl(name: string): string {
  if (regExpExec(PLAIN_NAME, name) !== null) return BASE_URL + name;
  const url = new URL(BASE_URL);
  url.pathname = `/bundle/${name}`;
  return url.href;
}
