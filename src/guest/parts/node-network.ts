/** As node-stubs.ts, for the network and what is seldom named: a part of their own, since those are many. */
type Loaded = { readonly default: object };

declare const require: (name: string) => unknown;

const http = (): object => (require('unenv/node/http') as Loaded).default;
const tls = (): object => (require('unenv/node/tls') as Loaded).default;

export const modules: Readonly<Record<string, () => object>> = {
  _http_agent: http,
  _http_client: http,
  _http_common: http,
  _http_incoming: http,
  _http_outgoing: http,
  _http_server: http,
  _stream_wrap: () => ({}),
  _tls_common: tls,
  _tls_wrap: tls,
  cluster: () => (require('unenv/node/cluster') as Loaded).default,
  constants: () => (require('unenv/node/constants') as Loaded).default,
  dgram: () => (require('unenv/node/dgram') as Loaded).default,
  dns: () => (require('unenv/node/dns') as Loaded).default,
  'dns/promises': () => (require('unenv/node/dns/promises') as Loaded).default,
  domain: () => (require('unenv/node/domain') as Loaded).default,
  http: () => (require('unenv/node/http') as Loaded).default,
  http2: () => (require('unenv/node/http2') as Loaded).default,
  https: () => (require('unenv/node/https') as Loaded).default,
  inspector: () => (require('unenv/node/inspector') as Loaded).default,
  'inspector/promises': () => (require('unenv/node/inspector/promises') as Loaded).default,
  net: () => (require('unenv/node/net') as Loaded).default,
  repl: () => (require('unenv/node/repl') as Loaded).default,
  sqlite: () => (require('unenv/node/sqlite') as Loaded).default,
  tls,
  trace_events: () => (require('unenv/node/trace_events') as Loaded).default,
  wasi: () => (require('unenv/node/wasi') as Loaded).default,
};
