/** Layers of confinement that no machine can lack, for `isola doctor`: what they do, by the numbers that are in force. */
import {
  ACCOUNT_REQUESTS,
  ADDRESS_CONNECTIONS,
  ADDRESS_REQUESTS,
  DEFAULT_LIMITS,
  MAX_LOOP_HOPS,
  MAX_OPEN_CONNECTIONS,
} from '../limits.ts';

const { cpuMs, memoryMiB, subrequests } = DEFAULT_LIMITS;
const count = (value: number): string => value.toLocaleString('en');

/** In the order of the threat model, from the isolate outwards. */
export const STANDING_LAYERS: Readonly<Record<string, string>> = {
  isolates: 'no code from strings, no threads, no shared memory, clocks that stand still while code runs',
  limits: `${cpuMs} ms CPU, ${memoryMiB} MiB, ${subrequests} subrequests unless set otherwise; a cell that nothing stops is ended`,
  cordons: 'quarantine for an hour, doubling, for what costs a cell; isola account set --cordon, --isolation',
  'side channels': 'CPU by request looked at while it runs; cells are replaced after a day',
  egress: `public addresses only, ${MAX_OPEN_CONNECTIONS} connections at once, ${MAX_LOOP_HOPS} hops; isola account set --egress-allow`,
  ingress: `an address: ${count(ADDRESS_CONNECTIONS)} connections, ${count(ADDRESS_REQUESTS)} requests; an account: ${count(ACCOUNT_REQUESTS)}`,
};
