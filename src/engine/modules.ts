/**
 * A version's modules inside an isolate: compiled, linked, evaluated at the start or when the guest asks for one with
 * `import()`. Everything that a tenant may make long is a step (steps.ts), to be run within a budget.
 */
import { isBuiltin } from 'node:module';
import type ivm from 'isolated-vm';
import type { ConfigureOptions, GuestEntryPoints } from '../guest/abi.ts';
import type { ModuleKind, ModuleSource, VersionCode } from '../model.ts';
import { type CodeCache, MIN_SOURCE_LENGTH } from './code-cache.ts';
import { toGuestBytes } from './guest-bytes.ts';
import { LoadError, toLoadError } from './load-error.ts';
import {
  commonJsText,
  EXPOSED,
  IMPORTER,
  loaderText,
  objectText,
  PROBE_TEXT,
  RUNTIME,
  runtimeText,
  TARGET,
  valueText,
} from './made-modules.ts';
import { type CommonJsFacts, commonJsFactsOf, decodeSource, replaceImports } from './source-facts.ts';
import { candidateNames, canonicalName, withCommonJsEndings } from './specifiers.ts';
import type { Step, Steps } from './steps.ts';

/** What modules are loaded into. */
export interface ModuleHost {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  readonly entryPoints: ivm.Reference<GuestEntryPoints>;
  /** Makes a call into the isolate that is no step: between steps, or while a step on the pool waits for its outcome. */
  callAside<T>(call: () => T): T;
}

export interface ModuleRecord {
  /** By which the guest knows its namespace. */
  readonly key: number;
  readonly name: string;
  readonly kind: ModuleKind | 'builtin';
  /** Where the guest keeps the value that the module exports, or what runs a CommonJS module. */
  readonly slot: number;
  readonly facts?: CommonJsFacts;
  /** Names of the exports of a built-in module. */
  readonly names?: readonly string[];
  /** Made from the above when it is first imported, except for an ES module. */
  module: ivm.Module | undefined;
}

/** Who imports: a module of the upload, or one of ours with what it may import beside. */
interface Referrer {
  readonly name: string;
  readonly links?: ReadonlyMap<string, ivm.Module>;
}

export class ModuleGraph {
  readonly #host: ModuleHost;
  readonly #byName = new Map<string, ModuleRecord | LoadError>();
  readonly #byKey: ModuleRecord[] = [];
  readonly #referrers = new Map<ivm.Module, Referrer>();
  /** Names of modules that may ask for others while they run, by what the guest calls them. */
  readonly #askers = new Map<number, string>();
  readonly #builtins = new Map<string, ModuleRecord | undefined>();
  readonly #references = new Map<string, ivm.Reference<(...parameters: unknown[]) => unknown>>();
  #runtimeModule: ivm.Module | undefined;

  constructor(host: ModuleHost) {
    this.#host = host;
  }

  /**
   * Compiles what was uploaded, links and evaluates the main module, and resolves to it. Throws what V8 throws, or a
   * LoadError. A module that does not compile is an error of who imports it.
   */
  *load(code: VersionCode, configure: ConfigureOptions, cache: CodeCache): Steps<ivm.Module | undefined> {
    const { mainModule } = code.spec;
    const isScript = code.modules.some(({ name, kind }) => name === mainModule && kind === 'script');
    for (const source of code.modules) {
      const name = canonicalName(source.name);
      if (source.kind === 'script') continue;
      try {
        this.#byName.set(name, yield* this.#add(source, code, cache));
      } catch (error) {
        if (name === canonicalName(mainModule)) throw error;
        this.#byName.set(name, toLinkError(error, source.name));
      }
    }
    yield this.#callGuest('configure', [JSON.stringify(this.#withSlots(configure, isScript))]);
    const main = code.modules.find(({ name }) => name === mainModule);
    if (isScript && main !== undefined) {
      yield* this.#runScript(main);
      return undefined;
    }
    const record = this.#byName.get(canonicalName(mainModule));
    if (!isRecord(record)) throw new LoadError(`No such module "${mainModule}": it is named as the main module`);
    const module = this.moduleOf(record);
    yield this.link(module);
    yield this.evaluate(module);
    return module;
  }

  /** Finds the handlers of the main module, or of the service-worker script. Comes to their names, joined by commas. */
  attach(main: ivm.Module | undefined): Step<string> {
    return this.#callGuest('attach', main === undefined ? [] : [main.namespace.derefInto()]) as Step<string>;
  }

  /** The module that a running one asks for. Throws a LoadError when there is none. */
  findFor(asker: number, specifier: string): ModuleRecord {
    return this.#find(specifier, this.#askers.get(asker) ?? '');
  }

  /**
   * For `require`: a letter for the kind of module (`c` CommonJS, `e` ES module, `v` value) and the guest's number of
   * it, or undefined when it is none of the upload.
   */
  resolveRequire(asker: number, specifier: string): string | undefined {
    const names = withCommonJsEndings(candidateNames(specifier, this.#askers.get(asker) ?? ''));
    const found = names.map((name) => this.#byName.get(name)).find((record) => record !== undefined);
    if (!isRecord(found)) return undefined;
    if (found.kind === 'esm') return `e${found.key}`;
    return `${found.kind === 'cjs' ? 'c' : 'v'}${found.slot}`;
  }

  /** Its ES module, made now when there is none yet. */
  moduleOf(record: ModuleRecord): ivm.Module {
    record.module ??= this.#make(record);
    return record.module;
  }

  link(module: ivm.Module): Step {
    const { context } = this.#host;
    const resolve = (specifier: string, referrer: ivm.Module) => this.#resolve(specifier, referrer);
    return {
      now: () => module.instantiateSync(context, resolve),
      pooled: () => module.instantiate(context, resolve),
    };
  }

  /** Fails when a module does, at once or within the microtasks that follow. */
  evaluate(module: ivm.Module): Step {
    return { now: () => void module.evaluateSync(), pooled: async () => void (await module.evaluate()) };
  }

  /** A module that evaluates the record's and hands its namespace to the guest under the record's key. */
  makeLoader(record: ModuleRecord): ivm.Module {
    return this.#compileMade(loaderText(record.key), record.name, new Map([[TARGET, this.moduleOf(record)]]));
  }

  /** Fails with the record's own error if evaluating it has failed: V8 does not tell otherwise. */
  *probe(record: ModuleRecord): Steps<{ error: unknown } | undefined> {
    const probe = this.#compileMade(PROBE_TEXT, record.name, new Map([[TARGET, this.moduleOf(record)]]));
    try {
      yield this.link(probe);
      yield this.evaluate(probe);
      return undefined;
    } catch (error) {
      return { error };
    } finally {
      this.#referrers.delete(probe);
    }
  }

  *#add(source: ModuleSource, code: VersionCode, cache: CodeCache): Steps<ModuleRecord> {
    const { name, kind } = source;
    if (kind === 'esm') {
      return this.#keep({ name, kind, slot: -1, module: yield* this.#compile(source, code, cache) });
    }
    if (kind === 'cjs') return yield* this.#addCommonJs(source);
    const slot: number = yield this.#callGuest('provide', [kind, source.content]);
    return this.#keep({ name, kind, slot, module: undefined });
  }

  #keep(record: Omit<ModuleRecord, 'key'>): ModuleRecord {
    const kept = { ...record, key: this.#byKey.length };
    this.#byKey.push(kept);
    if (kept.module !== undefined && !this.#referrers.has(kept.module)) {
      this.#referrers.set(kept.module, { name: kept.name });
    }
    return kept;
  }

  *#compile(source: ModuleSource, code: VersionCode, cache: CodeCache): Steps<ivm.Module> {
    const { isolate } = this.#host;
    const original = decodeSource(source);
    const replaced = replaceImports(source, original);
    const text = replaced === undefined ? original : `${replaced.text}\nimport ${replaced.name} from"${IMPORTER}";`;
    const key = `${code.spec.id}/${source.name}`;
    const cached = text.length < MIN_SOURCE_LENGTH ? undefined : cache.get(key);
    const produce = cached === undefined && text.length >= MIN_SOURCE_LENGTH;
    const options = {
      filename: source.name,
      ...(cached !== undefined && { cachedData: cached }),
      ...(produce && { produceCachedData: true }),
    };
    const module: ivm.Module = yield {
      now: () => isolate.compileModuleSync(text, options),
      pooled: () => isolate.compileModule(text, options),
    };
    const made = produce ? (module as { cachedData?: ivm.ExternalCopy<ArrayBuffer> }).cachedData : undefined;
    if (made !== undefined) cache.set(key, made, text.length);
    if (replaced !== undefined) yield* this.#giveImporter(module, source.name, source.name === code.spec.mainModule);
    return module;
  }

  /** What a module's `import` has been replaced by. */
  *#giveImporter(module: ivm.Module, name: string, isMain: boolean): Steps {
    const slot: number = yield this.#callGuest('importer', [name, isMain]);
    this.#askers.set(slot, name);
    const importer = this.#compileMade(valueText(slot), name, new Map());
    this.#referrers.set(module, { name, links: new Map([[IMPORTER, importer]]) });
  }

  *#addCommonJs(source: ModuleSource): Steps<ModuleRecord> {
    const { isolate, context } = this.#host;
    const { name } = source;
    const original = decodeSource(source);
    const replaced = replaceImports(source, original);
    const body = (replaced?.text ?? original).replace(/^#!/, '//');
    // A script and not a module: CommonJS is sloppy code. Its first line stays the first.
    const text = `(function(exports,require,module${replaced === undefined ? '' : `,${replaced.name}`}){\n${body}\n})`;
    const options = { filename: name, lineOffset: -1 };
    const script: ivm.Script = yield {
      now: () => isolate.compileScriptSync(text, options),
      pooled: () => isolate.compileScript(text, options),
    };
    const factory: ivm.Reference<unknown> = yield {
      now: () => script.runSync(context, { reference: true }),
      pooled: () => script.run(context, { reference: true }),
    };
    script.release();
    const slot: number = yield this.#callGuest('commonJs', [factory.derefInto({ release: true }), name]);
    this.#askers.set(slot, name);
    return this.#keep({ name, kind: 'cjs', slot, facts: commonJsFactsOf(source, original), module: undefined });
  }

  *#runScript(source: ModuleSource): Steps {
    const { isolate, context } = this.#host;
    const text = decodeSource(source);
    const options = { filename: source.name };
    const script: ivm.Script = yield {
      now: () => isolate.compileScriptSync(text, options),
      pooled: () => isolate.compileScript(text, options),
    };
    yield { now: () => script.runSync(context), pooled: () => script.run(context) };
    script.release();
  }

  /** The bindings that stand for a file of the upload, with where the guest has it. */
  #withSlots(configure: ConfigureOptions, isScript: boolean): ConfigureOptions {
    const bindings = configure.bindings.map((binding) => {
      if (binding.type !== 'part') return binding;
      const found = this.#byName.get(canonicalName(binding.part));
      if (!isRecord(found))
        throw new LoadError(`No such file "${binding.part}": the binding "${binding.name}" names it`);
      return { ...binding, slot: found.slot };
    });
    return { ...configure, bindings, asGlobals: isScript };
  }

  #resolve(specifier: string, module: ivm.Module): ivm.Module {
    const referrer = this.#referrers.get(module);
    const link = referrer?.links?.get(specifier);
    if (link !== undefined) return link;
    return this.moduleOf(this.#find(specifier, referrer?.name ?? ''));
  }

  #find(specifier: string, referrer: string): ModuleRecord {
    for (const name of candidateNames(specifier, referrer)) {
      const found = this.#byName.get(name);
      if (found instanceof LoadError) throw found;
      if (found !== undefined) return found;
    }
    const builtin = this.#findBuiltin(specifier);
    if (builtin !== undefined) return builtin;
    const reason = isBuiltin(specifier)
      ? ': Node.js modules need the compatibility flag "nodejs_compat"; add it to compatibility_flags'
      : specifier.startsWith('cloudflare:') || specifier.startsWith('node:')
        ? ': it is not available on this platform'
        : '';
    throw new LoadError(`No such module "${specifier}"${reason}.\n  imported from "${referrer}"`);
  }

  /**
   * A module of the runtime's own: the guest knows which there are, and makes them. When a Worker asks late, what it has
   * done to built-ins and to the module's properties runs along.
   */
  #findBuiltin(specifier: string): ModuleRecord | undefined {
    if (this.#builtins.has(specifier)) return this.#builtins.get(specifier);
    const make = this.#reference('builtin');
    const answer = this.#host.callAside(() => make.applySync(undefined, [specifier])) as string;
    const [slot, names = ''] = answer.split('\n');
    const found =
      answer === ''
        ? undefined
        : this.#keep({
            name: specifier,
            kind: 'builtin',
            slot: Number(slot),
            names: names.split(','),
            module: undefined,
          });
    this.#builtins.set(specifier, found);
    return found;
  }

  #make(record: ModuleRecord): ivm.Module {
    const { name, slot } = record;
    if (record.kind === 'builtin') return this.#compileMade(objectText(slot, record.names ?? []), name, new Map());
    if (record.kind !== 'cjs') return this.#compileMade(valueText(slot), name, new Map());
    const names = new Set<string>();
    const required = new Map<number, ModuleRecord>();
    this.#collectExports(record, names, new Set());
    this.#collectRequired(record, required, new Set());
    const text = commonJsText(slot, [...names], [...required.keys()]);
    // Known before its links are: the modules that it requires may import it in turn.
    const links = new Map<string, ivm.Module>();
    record.module = this.#compileMade(text, name, links);
    for (const [key, other] of required) links.set(`${TARGET}/${key}`, this.moduleOf(other));
    return record.module;
  }

  #collectExports(record: ModuleRecord, names: Set<string>, seen: Set<ModuleRecord>): void {
    if (seen.has(record)) return;
    seen.add(record);
    for (const name of record.facts?.exports ?? []) if (name.isWellFormed()) names.add(name);
    for (const specifier of record.facts?.reexports ?? []) {
      const other = this.#requiredBy(record, specifier);
      if (other !== undefined) this.#collectExports(other, names, seen);
    }
  }

  /** ES modules that the record requires, itself or through other CommonJS modules. */
  #collectRequired(record: ModuleRecord, found: Map<number, ModuleRecord>, seen: Set<ModuleRecord>): void {
    if (seen.has(record)) return;
    seen.add(record);
    for (const specifier of record.facts?.requires ?? []) {
      const other = this.#requiredBy(record, specifier);
      if (other?.kind === 'esm') found.set(other.key, other);
      else if (other !== undefined) this.#collectRequired(other, found, seen);
    }
  }

  #requiredBy({ name }: ModuleRecord, specifier: string): ModuleRecord | undefined {
    const names = withCommonJsEndings(candidateNames(specifier, name));
    return names.map((candidate) => this.#byName.get(candidate)).find(isRecord);
  }

  #compileMade(text: string, name: string, links: Map<string, ivm.Module>): ivm.Module {
    links.set(RUNTIME, this.#runtime());
    const module = this.#host.isolate.compileModuleSync(text, { filename: 'isola:guest' });
    this.#referrers.set(module, { name, links });
    return module;
  }

  /**
   * What made modules take values from. It gets its functions by the global, and they are gone from there before any
   * code of the tenant runs: who asks for a module while it runs has been given one made with this.
   */
  #runtime(): ivm.Module {
    if (this.#runtimeModule !== undefined) return this.#runtimeModule;
    const { isolate, context, entryPoints } = this.#host;
    for (const name of EXPOSED) {
      const value = entryPoints.getSync(name, { reference: true }) as ivm.Reference<unknown>;
      context.global.setSync(`__isola_${name}`, value.derefInto());
    }
    const module = isolate.compileModuleSync(runtimeText(), { filename: 'isola:guest' });
    module.instantiateSync(context, () => {
      throw new LoadError('unreachable: the runtime module imports nothing');
    });
    module.evaluateSync();
    for (const name of EXPOSED) context.global.deleteSync(`__isola_${name}`);
    this.#runtimeModule = module;
    return module;
  }

  #callGuest(name: keyof GuestEntryPoints, parameters: readonly unknown[]): Step {
    const reference = this.#reference(name);
    const copied = parameters.map((value) => (value instanceof Uint8Array ? toGuestBytes(value) : value));
    return {
      now: () => reference.applySync(undefined, copied as never),
      pooled: () => reference.apply(undefined, copied as never),
    };
  }

  #reference(name: keyof GuestEntryPoints): ivm.Reference<(...parameters: unknown[]) => unknown> {
    let reference = this.#references.get(name);
    if (reference === undefined) {
      reference = this.#host.entryPoints.getSync(name, { reference: true }) as ivm.Reference<() => unknown>;
      this.#references.set(name, reference);
    }
    return reference;
  }
}

function isRecord(found: ModuleRecord | LoadError | undefined): found is ModuleRecord {
  return found !== undefined && !(found instanceof LoadError);
}

/** For who imports it: where it is wrong. */
function toLinkError(error: unknown, name: string): LoadError {
  const { message } = toLoadError(error);
  return new LoadError(message.includes(name) ? message : `${message}\n  in "${name}"`);
}
