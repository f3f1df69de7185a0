/** A version's modules inside an isolate: compiled, linked, evaluated. */
import type ivm from 'isolated-vm';
import type { ModuleKind, ModuleSource, VersionCode } from '../model.ts';
import { type CodeCache, MIN_SOURCE_LENGTH } from './code-cache.ts';
import { LoadError } from './load-error.ts';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Kinds of modules whose default export is made from their bytes. */
export type DataKind = Exclude<ModuleKind, 'cjs' | 'esm'>;

/** What loading needs of an isolate: each step runs under the watchdog, inline or on a pool thread. */
export interface ModuleHost {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  /** Makes the default export of a module that is not JavaScript; returns the index `__isola_take` knows it by. */
  provide(kind: DataKind, bytes: Uint8Array): Promise<number>;
  /** Puts the guest's `take` on the global, as `__isola_take`, for the data modules. */
  exposeTake(): void;
  /** Runs a step within the start-up budget: `now` inline, or `pooled` on the pool. */
  step<T>(now: () => T, pooled: () => Promise<T>): Promise<T>;
}

/** Compiles, links and evaluates the code. Returns the main module. Throws what V8 throws, or a LoadError. */
export async function loadModules(host: ModuleHost, code: VersionCode, cache: CodeCache): Promise<ivm.Module> {
  const compiled = new Map<string, ivm.Module>();
  const names = new Map<ivm.Module, string>();
  const data = code.modules.filter(isData);
  if (data.length > 0) {
    // Before any code: these modules take their value from the guest runtime through a global that is then taken away.
    host.exposeTake();
    for (const source of data) add(compiled, names, source, await compileData(host, source));
    host.context.evalSync('delete globalThis.__isola_take');
  }
  for (const source of code.modules) {
    if (!isData(source)) add(compiled, names, source, await compile(host, code, source, cache));
  }
  const main = compiled.get(canonicalName(code.spec.mainModule));
  if (main === undefined)
    throw new LoadError(`No such module "${code.spec.mainModule}": it is named as the main module`);
  const resolve = (specifier: string, referrer: ivm.Module) =>
    resolveModule(compiled, specifier, names.get(referrer) ?? code.spec.mainModule);
  await host.step(
    () => main.instantiateSync(host.context, resolve),
    () => main.instantiate(host.context, resolve),
  );
  // `promise` makes a rejected top-level await throw here.
  const options = { promise: true } as const;
  await host.step(
    () => void main.evaluateSync(options),
    async () => void (await main.evaluate(options)),
  );
  return main;
}

function add(
  compiled: Map<string, ivm.Module>,
  names: Map<ivm.Module, string>,
  source: ModuleSource,
  module: ivm.Module,
): void {
  compiled.set(canonicalName(source.name), module);
  names.set(module, source.name);
}

interface DataModule extends ModuleSource {
  readonly kind: DataKind;
}

function isData(source: ModuleSource): source is DataModule {
  return source.kind !== 'esm' && source.kind !== 'cjs';
}

async function compile(
  host: ModuleHost,
  code: VersionCode,
  source: ModuleSource,
  cache: CodeCache,
): Promise<ivm.Module> {
  if (source.kind === 'cjs') {
    throw new LoadError(`Cannot load "${source.name}": CommonJS modules are not supported yet; use ES modules`);
  }
  const text = decode(source);
  const key = `${code.spec.id}/${source.name}`;
  const cached = text.length < MIN_SOURCE_LENGTH ? undefined : cache.get(key);
  const produce = cached === undefined && text.length >= MIN_SOURCE_LENGTH;
  const options = {
    filename: source.name,
    ...(cached !== undefined && { cachedData: cached }),
    ...(produce && { produceCachedData: true }),
  };
  const module = await host.step(
    () => host.isolate.compileModuleSync(text, options),
    () => host.isolate.compileModule(text, options),
  );
  const made = produce ? (module as { cachedData?: ivm.ExternalCopy<ArrayBuffer> }).cachedData : undefined;
  if (made !== undefined) cache.set(key, made, text.length);
  return module;
}

async function compileData(host: ModuleHost, source: DataModule): Promise<ivm.Module> {
  const index = await host.provide(source.kind, source.content);
  const options = { filename: source.name };
  const text = `export default __isola_take(${index})`;
  const module = host.isolate.compileModuleSync(text, options);
  module.instantiateSync(host.context, () => {
    throw new LoadError('unreachable: a data module imports nothing');
  });
  await host.step(
    () => void module.evaluateSync(),
    async () => void (await module.evaluate()),
  );
  return module;
}

function decode(source: ModuleSource): string {
  try {
    return decoder.decode(source.content);
  } catch {
    throw new LoadError(`Cannot load "${source.name}": it is not valid UTF-8`);
  }
}

/** Relative to the importing module, as paths; a name that is uploaded exactly as it is imported also matches. */
function resolveModule(compiled: ReadonlyMap<string, ivm.Module>, specifier: string, referrer: string): ivm.Module {
  const relative = /^\.{0,2}\//.test(specifier);
  const path = relative ? canonicalName(`${referrer.slice(0, referrer.lastIndexOf('/') + 1)}${specifier}`) : undefined;
  const found = (path === undefined ? undefined : compiled.get(path)) ?? compiled.get(canonicalName(specifier));
  if (found !== undefined) return found;
  throw new LoadError(`No such module "${specifier}".\n  imported from "${referrer}"`);
}

/** `./lib/../a.js` and `a.js` are the same module. */
function canonicalName(name: string): string {
  const parts: string[] = [];
  for (const part of name.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}
