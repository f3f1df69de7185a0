/** `env`: the version's bindings as the Worker sees them. */
import type { BindingOptions } from '../abi.ts';
import { type Response, startFetch } from '../fetch/index.ts';
import { objectDefineProperty } from './intrinsics.ts';
import { take } from './modules.ts';
import { defineLazy, loadPart } from './parts.ts';

/** What `env` uses of parts/kv.ts. */
interface KvPart {
  createNamespace(binding: number): object;
}

let newFetcher: (binding: number) => Fetcher;
const BLANK = Symbol('blank'); // only the runtime makes fetchers

/** A service binding, or the Worker's own assets: something that answers requests. */
export class Fetcher {
  #binding = 0;

  constructor(key: unknown) {
    if (key !== BLANK) throw new TypeError('Illegal constructor');
  }

  fetch(input: unknown, init?: unknown): Promise<Response> {
    return startFetch(input, init, this.#binding);
  }

  static {
    newFetcher = (binding) => {
      const fetcher = new Fetcher(BLANK);
      fetcher.#binding = binding;
      return fetcher;
    };
  }
}

/** The one of this instance, once `configure` has been called. */
export let env: object = {};

/** For parts, who cannot see the binding above change. */
export function currentEnv(): object {
  return env;
}

/** Makes `env`; with `asGlobals`, the bindings are properties of the global too. */
export function createEnv(bindings: readonly BindingOptions[], asGlobals: boolean): void {
  env = {};
  for (let i = 0; i < bindings.length; i++) {
    const binding = bindings[i]!;
    if (binding.type === 'kv_namespace') {
      defineNamespace(binding.name, i, asGlobals);
      continue;
    }
    const value = toValue(binding, i);
    const descriptor = { value, writable: true, enumerable: true, configurable: true };
    objectDefineProperty(env, binding.name, descriptor);
    if (asGlobals) objectDefineProperty(globalThis, binding.name, descriptor);
  }
}

/** Its part is loaded when it is first looked at. */
function defineNamespace(name: string, index: number, asGlobals: boolean): void {
  let namespace: unknown;
  const make = (): unknown => (namespace ??= (loadPart('kv') as unknown as KvPart).createNamespace(index));
  defineLazy(env, name, make, true);
  if (asGlobals) defineLazy(globalThis, name, make, true);
}

function toValue(binding: Exclude<BindingOptions, { type: 'kv_namespace' }>, index: number): unknown {
  switch (binding.type) {
    case 'plain_text':
      return binding.text;
    case 'json':
      return binding.json;
    case 'assets':
    case 'service':
      return newFetcher(index);
    case 'part':
      return take(binding.slot!);
    case 'version_metadata':
      return { id: binding.id, tag: binding.tag, timestamp: binding.timestamp };
    default:
      return undefined;
  }
}
