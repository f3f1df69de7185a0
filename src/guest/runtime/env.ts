/** `env`: the version's bindings as the Worker sees them. */
import type { AttachOptions } from '../abi.ts';
import { type Response, startFetch } from '../fetch/index.ts';
import { objectDefineProperty } from './intrinsics.ts';

let newFetcher: (binding: number) => Fetcher;
const BLANK = Symbol('blank'); // only the runtime makes fetchers

/** A service binding: another Worker, by its `fetch`. */
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

export function createEnv(bindings: AttachOptions['bindings']): object {
  const env = {};
  for (let i = 0; i < bindings.length; i++) {
    const binding = bindings[i]!;
    objectDefineProperty(env, binding.name, {
      value: toValue(binding, i),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return env;
}

function toValue(binding: AttachOptions['bindings'][number], index: number): unknown {
  switch (binding.type) {
    case 'plain_text':
      return binding.text;
    case 'json':
      return binding.json;
    case 'service':
      return newFetcher(index);
    case 'version_metadata':
      return { id: binding.id, tag: binding.tag, timestamp: binding.timestamp };
    default:
      return undefined;
  }
}
