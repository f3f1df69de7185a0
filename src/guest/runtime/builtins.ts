/**
 * Modules of the runtime's own, by specifier. Their exports are the enumerable properties of an object without a
 * prototype, made when the first module that imports it is linked: after `configure`, so that a flag can decide whether
 * there is such a module. `default` is a name like any other.
 */
import type * as workers from '../parts/cloudflare-workers.ts';
import { SafeMap } from './intrinsics.ts';
import { nodeNamespace } from './node-modules.ts';
import { loadPart } from './parts.ts';

export type BuiltinExports = Readonly<Record<string, unknown>>;

const made = new SafeMap<string, BuiltinExports>();

/** The exports of a built-in module, the same object each time; undefined when there is none of that name. */
export function findBuiltin(specifier: string): BuiltinExports | undefined {
  const known = made.get(specifier);
  if (known !== undefined) return known;
  const exports = makeBuiltin(specifier);
  if (exports !== undefined) made.set(specifier, exports);
  return exports;
}

function makeBuiltin(specifier: string): BuiltinExports | undefined {
  switch (specifier) {
    case 'cloudflare:workers':
      return (loadPart('cloudflare-workers') as typeof workers).createExports();
    default:
      return nodeNamespace(specifier);
  }
}
