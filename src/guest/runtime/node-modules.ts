/**
 * Node's modules, behind flags. Which there are, and which part has each, is itself a part (parts/node-modules.ts):
 * nothing of it is loaded before a Worker names one.
 */
import type { BindingOptions } from '../abi.ts';
import type { BuiltinExports } from './builtins.ts';
import { hasFlag } from './flags.ts';
import type * as part from '../parts/node-modules.ts';
import { jsonStringify, objectDefineProperty } from './intrinsics.ts';
import { defineLazy, loadPart } from './parts.ts';

const GLOBALS: Readonly<Record<string, string>> = {
  Buffer: 'node-buffer',
  clearImmediate: 'node-process',
  process: 'node-process',
  setImmediate: 'node-process',
};
let isEnabled = false;
let hasAsyncHooks = false;
let bindings: readonly BindingOptions[] = [];

/** Before any code of the tenant: puts in place what the version's flags ask for. */
export function enableNode(given: readonly BindingOptions[]): void {
  isEnabled = hasFlag('nodejs_compat') || hasFlag('nodejs_compat_v2');
  hasAsyncHooks = isEnabled || hasFlag('nodejs_als');
  if (!isEnabled) return;
  bindings = given;
  objectDefineProperty(globalThis, 'global', {
    value: globalThis,
    writable: true,
    enumerable: false,
    configurable: true,
  });
  for (const [name, part] of Object.entries(GLOBALS)) defineLazy(globalThis, name, () => loadPart(part)[name], false);
}

/** What `process.env` begins with: the bindings that are text, and JSON as text. */
export function nodeEnvironment(): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const binding of bindings) {
    if (binding.type === 'plain_text') environment[binding.name] = binding.text;
    else if (binding.type === 'json') {
      environment[binding.name] = typeof binding.json === 'string' ? binding.json : jsonStringify(binding.json);
    }
  }
  return environment;
}

/** The default export of a module, by its name with or without `node:`; undefined when there is none for this Worker. */
export function loadNodeModule(specifier: string): object | undefined {
  if (!isEnabled && !hasAsyncHooks) return undefined;
  return (loadPart('node-modules') as typeof part).loadModule(specifier, isEnabled);
}

/** The exports of a module: the properties of its default export, and that itself. */
export function nodeNamespace(specifier: string): BuiltinExports | undefined {
  const module = loadNodeModule(specifier);
  return module && (loadPart('node-modules') as typeof part).toNamespace(module);
}
