/** Node's modules: which there are, and which part has each. Nothing of it is loaded before a Worker names it. */
import type { BindingOptions } from '../abi.ts';
import type { BuiltinExports } from './builtins.ts';
import { hasFlag } from './flags.ts';
import {
  jsonStringify,
  objectCreate,
  objectDefineProperty,
  reflectOwnKeys,
  SafeMap,
  stringSlice,
} from './intrinsics.ts';
import { defineLazy, loadPart } from './parts.ts';

/** Modules by their part: `modules` of the part has a function for each that answers the module's default export. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  // `isola:frames` is what amended code imports (src/async-context/).
  'node-async-hooks': ['async_hooks', 'diagnostics_channel', 'isola:frames'],
  'node-buffer': ['buffer', 'string_decoder'],
  'node-crypto': ['crypto'],
  'node-events': ['events'],
  'node-process': ['process', 'timers', 'timers/promises'],
  'node-stream': [
    '_stream_duplex',
    '_stream_passthrough',
    '_stream_readable',
    '_stream_transform',
    '_stream_writable',
    'stream',
    'stream/consumers',
    'stream/promises',
    'stream/web',
  ],
  'node-zlib': ['zlib'],
  'node-text': ['path', 'path/posix', 'path/win32', 'punycode', 'querystring', 'url'],
  'node-util': ['assert', 'assert/strict', 'sys', 'util', 'util/types'],
  // These are there to be imported: what they would do, a Worker cannot.
  'node-stubs': [
    'child_process',
    'console',
    'fs',
    'fs/promises',
    'module',
    'os',
    'perf_hooks',
    'readline',
    'readline/promises',
    'tty',
    'v8',
    'vm',
    'worker_threads',
  ],
  'node-network': [
    '_http_agent',
    '_http_client',
    '_http_common',
    '_http_incoming',
    '_http_outgoing',
    '_http_server',
    '_stream_wrap',
    '_tls_common',
    '_tls_wrap',
    'cluster',
    'constants',
    'dgram',
    'dns',
    'dns/promises',
    'domain',
    'http',
    'http2',
    'https',
    'inspector',
    'inspector/promises',
    'net',
    'repl',
    'sqlite',
    'tls',
    'trace_events',
    'wasi',
  ],
};
const GLOBALS: Readonly<Record<string, string>> = {
  Buffer: 'node-buffer',
  clearImmediate: 'node-process',
  process: 'node-process',
  setImmediate: 'node-process',
};
/** All that can be imported only as `node:…`. */
const PREFIX_ONLY = ['sqlite'];

const parts = new SafeMap<string, string>();
const made = new SafeMap<string, object>();
let isEnabled = false;
let hasAsyncHooks = false;
let bindings: readonly BindingOptions[] = [];

for (const [part, names] of Object.entries(PARTS)) for (const name of names) parts.set(name, part);

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
  const hasPrefix = stringSlice(specifier, 0, 5) === 'node:';
  const name = hasPrefix ? stringSlice(specifier, 5) : specifier;
  const isAllowed = isEnabled || (hasAsyncHooks && (name === 'async_hooks' || name === 'isola:frames'));
  const part = parts.get(name);
  if (part === undefined || !isAllowed || (!hasPrefix && PREFIX_ONLY.includes(name))) return undefined;
  let module = made.get(name);
  if (module === undefined) {
    const { modules } = loadPart(part) as { modules: Readonly<Record<string, () => object>> };
    module = modules[name]!();
    made.set(name, module);
  }
  return module;
}

/** The exports of a module: the properties of its default export, and that itself. */
export function nodeNamespace(specifier: string): BuiltinExports | undefined {
  const module = loadNodeModule(specifier);
  if (module === undefined) return undefined;
  const namespace = objectCreate(null) as Record<string, unknown>;
  namespace['default'] = module;
  const names = reflectOwnKeys(module);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (typeof name === 'string' && name !== 'default' && !isFunctionProperty(module, name)) {
      namespace[name] = Reflect.get(module, name);
    }
  }
  return namespace;
}

/** `length` and the like, of a module that is a function. */
function isFunctionProperty(module: object, name: string): boolean {
  return typeof module === 'function' && ['arguments', 'caller', 'length', 'name', 'prototype'].includes(name);
}
