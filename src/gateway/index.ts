/**
 * HTTP in, routing, frames out: a process of its own that holds the clients' connections.
 * Started by supervisor/ as `src/gateway/main.ts`; protocol.ts is what they say to each other. Knows only channel/.
 * Promise: a cell's crash is a 502 for the requests it had, and nobody else notices; a hostile cell or client costs
 * bounded memory and breaks its own connection only.
 * Start at server.ts; client-request.ts is one request's life.
 */
export { preferredCell } from './hash.ts';
export type { LoadLimitNumbers } from './load-limits.ts';
export { DEFAULT_CORDON } from './protocol.ts';
export type {
  AccountsParams,
  CellLost,
  CellsParams,
  CordonTable,
  DrainParams,
  GatewayStats,
  PreviewsParams,
  RoutesParams,
  RulesParams,
  StartParams,
  StartResult,
  TlsPair,
  TlsParams,
  WantedParams,
} from './protocol.ts';
