/** The metrics of the gateway, from what it counts since its start. */
import type { GatewayStats } from '../gateway/index.ts';
import type { Exposition, MetricKind } from './exposition.ts';

export type GatewayNumbers = GatewayStats & { readonly memory: number; readonly cpuUs: number };

type Plain = readonly [name: string, kind: MetricKind, help: string, value: (stats: GatewayNumbers) => number];

const PLAIN: readonly Plain[] = [
  ['connections', 'gauge', 'Open connections of clients.', ({ connections }) => connections],
  ['connections_total', 'counter', 'Connections accepted.', ({ accepted }) => accepted],
  ['requests_total', 'counter', 'Requests, with those that no Worker saw.', ({ requests }) => requests],
  ['active_requests', 'gauge', 'Requests without an answer.', ({ active }) => active],
  ['held_requests', 'gauge', 'Requests that wait for a cell.', ({ held }) => held],
  ['web_sockets', 'gauge', 'Open WebSockets of clients.', ({ webSockets }) => webSockets],
  ['bad_gateway_total', 'counter', 'Requests answered 502: their cell ended.', ({ badGateway }) => badGateway],
  ['unavailable_total', 'counter', 'Requests answered 503: no cell took them.', ({ unavailable }) => unavailable],
  ['client_aborts_total', 'counter', 'Clients that left before their answer.', ({ clientAborts }) => clientAborts],
  ['broken_off_total', 'counter', 'Answers broken off in the middle.', ({ brokenOff }) => brokenOff],
  ['malformed_total', 'counter', 'Connections closed: no HTTP, or too slow.', ({ malformed }) => malformed],
  ['over_limit_total', 'counter', 'Turned away: too many of an address or account.', ({ overLimit }) => overLimit],
  ['routes', 'gauge', 'Workers that it knows.', ({ routes }) => routes],
  ['memory_bytes', 'gauge', 'Resident memory of its process.', ({ memory }) => memory],
  ['cpu_seconds_total', 'counter', 'CPU time of its process.', ({ cpuUs }) => cpuUs / 1e6],
];

export function writeGateway(out: Exposition, stats: GatewayNumbers): void {
  for (const [name, kind, help, value] of PLAIN) {
    out.metric(`isola_gateway_${name}`, kind, help);
    out.sample(`isola_gateway_${name}`, {}, value(stats));
  }
  out.metric('isola_gateway_responses_total', 'counter', 'Answers to clients, by the first digit of their status.');
  for (const [digit, count] of stats.statuses.entries()) {
    if (digit > 0) out.sample('isola_gateway_responses_total', { status: `${digit}xx` }, count);
  }
  out.metric('isola_gateway_pages_total', 'counter', "Answers in the gateway's own name, by reason.");
  for (const [page, count] of stats.pages) out.sample('isola_gateway_pages_total', { page }, count);
  const { bytesIn, bytesOut } = stats;
  out.metric('isola_gateway_client_bytes_total', 'counter', 'Bytes on the connections of clients, heads included.');
  out.sample('isola_gateway_client_bytes_total', { direction: 'in' }, bytesIn);
  out.sample('isola_gateway_client_bytes_total', { direction: 'out' }, bytesOut);
}
