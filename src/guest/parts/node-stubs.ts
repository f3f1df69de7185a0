/**
 * Node's modules for what a Worker does not have: files, sockets, processes. They can be imported, and their constants
 * and classes read, since packages do that on the chance; what would do something throws. They are unenv's.
 */
type Loaded = { readonly default: object };

/** Of the bundler's own making: each module is evaluated when it is first asked for. */
declare const require: (name: string) => unknown;

export const modules: Readonly<Record<string, () => object>> = {
  child_process: () => (require('unenv/node/child_process') as Loaded).default,
  console: () => (require('unenv/node/console') as Loaded).default,
  fs: () => (require('unenv/node/fs') as Loaded).default,
  'fs/promises': () => (require('unenv/node/fs/promises') as Loaded).default,
  module: () => (require('unenv/node/module') as Loaded).default,
  os: () => (require('unenv/node/os') as Loaded).default,
  perf_hooks: () => (require('unenv/node/perf_hooks') as Loaded).default,
  readline: () => (require('unenv/node/readline') as Loaded).default,
  'readline/promises': () => (require('unenv/node/readline/promises') as Loaded).default,
  tty: () => (require('unenv/node/tty') as Loaded).default,
  v8: () => (require('unenv/node/v8') as Loaded).default,
  vm: () => (require('unenv/node/vm') as Loaded).default,
  worker_threads: () => (require('unenv/node/worker_threads') as Loaded).default,
};
