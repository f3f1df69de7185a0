/** Which of Node's modules there are, and which part has each. */
import { type BuiltinExports, loadPart, objectCreate, reflectOwnKeys, SafeMap, stringSlice } from '../core.ts';

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
/** All that can be imported only as `node:…`. */
const PREFIX_ONLY = 'sqlite';

const parts = new SafeMap<string, string>();
const made = new SafeMap<string, object>();

const names = reflectOwnKeys(PARTS) as string[];
for (let i = 0; i < names.length; i++) {
  const modules = PARTS[names[i]!]!;
  for (let j = 0; j < modules.length; j++) parts.set(modules[j]!, names[i]!);
}

/** The default export of a module; without `all`, of those that AsyncLocalStorage alone takes. */
export function loadModule(specifier: string, all: boolean): object | undefined {
  const hasPrefix = stringSlice(specifier, 0, 5) === 'node:';
  const name = hasPrefix ? stringSlice(specifier, 5) : specifier;
  const isAllowed = all || name === 'async_hooks' || name === 'isola:frames';
  const part = parts.get(name);
  if (part === undefined || !isAllowed || (!hasPrefix && name === PREFIX_ONLY)) return undefined;
  let module = made.get(name);
  if (module === undefined) {
    const { modules } = loadPart(part) as { modules: Readonly<Record<string, () => object>> };
    module = modules[name]!();
    made.set(name, module);
  }
  return module;
}

export function toNamespace(module: object): BuiltinExports {
  const namespace = objectCreate(null) as Record<string, unknown>;
  namespace['default'] = module;
  const keys = reflectOwnKeys(module);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    if (typeof key === 'string' && key !== 'default' && !isFunctionProperty(module, key)) {
      namespace[key] = Reflect.get(module, key);
    }
  }
  return namespace;
}

/** `length` and the like, of a module that is a function. */
function isFunctionProperty(module: object, name: string): boolean {
  return typeof module === 'function' && ['arguments', 'caller', 'length', 'name', 'prototype'].includes(name);
}
