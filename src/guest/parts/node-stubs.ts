/**
 * Node's modules for what a Worker does not have: files, sockets, processes. They can be imported, and their constants
 * and classes read, since packages do that on the chance; what would do something throws. They are unenv's.
 */
type Loaded = { readonly default: object };

/** Of the bundler's own making: each module is evaluated when it is first asked for. */
declare const require: (name: string) => unknown;

const http = (): object => (require('unenv/node/http') as Loaded).default;

export const modules: Readonly<Record<string, () => object>> = {
  _http_agent: http,
  _http_client: http,
  _http_common: http,
  _http_incoming: http,
  _http_outgoing: http,
  _http_server: http,
  _stream_wrap: () => ({}),
  _tls_common: () => ({}),
  _tls_wrap: () => ({}),
  child_process: () => (require('unenv/node/child_process') as Loaded).default,
  cluster: () => (require('unenv/node/cluster') as Loaded).default,
  console: () => (require('unenv/node/console') as Loaded).default,
  constants: () => (require('unenv/node/constants') as Loaded).default,
  dgram: () => (require('unenv/node/dgram') as Loaded).default,
  dns: () => (require('unenv/node/dns') as Loaded).default,
  'dns/promises': () => (require('unenv/node/dns/promises') as Loaded).default,
  domain: () => (require('unenv/node/domain') as Loaded).default,
  fs: () => (require('unenv/node/fs') as Loaded).default,
  'fs/promises': () => (require('unenv/node/fs/promises') as Loaded).default,
  http: () => (require('unenv/node/http') as Loaded).default,
  http2: () => (require('unenv/node/http2') as Loaded).default,
  https: () => (require('unenv/node/https') as Loaded).default,
  inspector: () => (require('unenv/node/inspector') as Loaded).default,
  'inspector/promises': () => (require('unenv/node/inspector/promises') as Loaded).default,
  module: () => (require('unenv/node/module') as Loaded).default,
  net: () => (require('unenv/node/net') as Loaded).default,
  os: () => (require('unenv/node/os') as Loaded).default,
  perf_hooks: () => (require('unenv/node/perf_hooks') as Loaded).default,
  readline: () => (require('unenv/node/readline') as Loaded).default,
  'readline/promises': () => (require('unenv/node/readline/promises') as Loaded).default,
  repl: () => (require('unenv/node/repl') as Loaded).default,
  sqlite: () => (require('unenv/node/sqlite') as Loaded).default,
  tls: () => (require('unenv/node/tls') as Loaded).default,
  trace_events: () => (require('unenv/node/trace_events') as Loaded).default,
  tty: () => (require('unenv/node/tty') as Loaded).default,
  v8: () => (require('unenv/node/v8') as Loaded).default,
  vm: () => (require('unenv/node/vm') as Loaded).default,
  wasi: () => (require('unenv/node/wasi') as Loaded).default,
  worker_threads: () => (require('unenv/node/worker_threads') as Loaded).default,
};
