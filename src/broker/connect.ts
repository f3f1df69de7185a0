/**
 * Opening sockets for tenants. The check is made where the address is known for certain, between the DNS answer and
 * `connect(2)`: a name that resolves to a public address when looked at and to 127.0.0.1 when used (DNS rebinding)
 * does not pass, for there is only the one look.
 */
import dns from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { EgressError } from './errors.ts';

const CONNECT_TIMEOUT_MS = 10_000;

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** Host name to its addresses, in order of preference. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export const resolveBySystem: Resolve = (hostname) => dns.promises.lookup(hostname, { all: true });

export interface ConnectorOptions {
  /** Whether tenants may connect to an IP address. */
  readonly isAllowed: (address: string) => boolean;
  readonly resolve: Resolve;
}

/** A connector for undici's dispatchers. Where a name has allowed and other addresses, only the allowed ones are tried. */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const guard = createGuard(options);
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    allowH2: false, // one HTTP/2 session would put many tenants behind one another's flow control
    lookup: guard.lookup,
  });
  return (target, callback) => {
    const refused = guard.refuse(target.hostname);
    if (refused === undefined) connect(target, callback);
    else callback(refused, null);
  };
}

/** What every connection for a tenant needs of both: net.connect() asks `lookup` only for names. */
export interface Guard {
  readonly lookup: LookupFunction;
  /** Why not to connect to this host, when it is an address. */
  refuse(hostname: string): EgressError | undefined;
}

export function createGuard({ isAllowed, resolve }: ConnectorOptions): Guard {
  return {
    lookup: createGuardedLookup({ isAllowed, resolve }),
    refuse(hostname) {
      const host = hostname.replace(/^\[|\]$/g, '');
      return isIP(host) === 0 || isAllowed(host) ? undefined : refusal(host, `is ${host}`);
    },
  };
}

function createGuardedLookup({ isAllowed, resolve }: ConnectorOptions): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((addresses) => {
        const allowed = addresses.filter(({ address }) => isAllowed(address));
        const first = allowed[0];
        if (first === undefined) throw refusal(hostname, `resolves to ${addresses[0]?.address ?? 'no address'}`);
        return { allowed, first };
      })
      .then(
        ({ allowed, first }) => {
          if (options.all) callback(null, [...allowed]);
          else callback(null, first.address, first.family);
        },
        (error: Error) => callback(error, ''),
      );
  };
}

function refusal(hostname: string, finding: string): EgressError {
  return new EgressError(
    `private address refused: fetch to ${hostname} ${finding}, which this platform does not allow`,
  );
}
