/** How often the API may be asked: per token, and per address, where wrong tokens weigh more. */
import rateLimit from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { toClientNetwork } from '../client-network.ts';
import { PlatformError } from '../errors.ts';
import { API_REQUESTS_PER_ADDRESS, API_REQUESTS_PER_TOKEN, API_WRONG_TOKENS_PER_ADDRESS } from '../limits.ts';
import type { ControlApp } from './context.ts';

/** Requests a minute. */
export interface ApiRates {
  readonly perToken: number;
  readonly perAddress: number;
  readonly wrongTokensPerAddress: number;
}

/** So many a token and minute, and what goes with it; 0 for no limits. */
export function toRates(perToken: number): ApiRates {
  if (perToken === 0) return { perToken: NO_LIMIT, perAddress: NO_LIMIT, wrongTokensPerAddress: NO_LIMIT };
  return { perToken, perAddress: ADDRESS_FACTOR * perToken, wrongTokensPerAddress: API_WRONG_TOKENS_PER_ADDRESS };
}

const NO_LIMIT = Number.MAX_SAFE_INTEGER;
const ADDRESS_FACTOR = API_REQUESTS_PER_ADDRESS / API_REQUESTS_PER_TOKEN; // several people behind one address
const WINDOW_MS = 60_000;
const REMEMBERED = 10_000; // addresses and tokens counted at once; the least recently seen are forgotten

export interface RateLimits {
  /** Counts a request of an address. Throws `rateLimited`, as all of these do. */
  checkAddress(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Counts a wrong token. */
  noteWrongToken(request: FastifyRequest): Promise<void>;
  /** Counts a request of the token that `request.identity` came with. */
  checkToken(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/** To be called once the plug-in of `registerRateLimit` is loaded. */
export function createRateLimits(app: ControlApp, rates: ApiRates): RateLimits {
  const limiter = (max: number, keyGenerator: (request: FastifyRequest) => string) =>
    app.createRateLimit({ max, keyGenerator, timeWindow: WINDOW_MS });
  const ofClient = ({ client }: FastifyRequest): string => toClientNetwork(client.address);
  const byAddress = limiter(rates.perAddress, ofClient);
  const byWrongToken = limiter(rates.wrongTokensPerAddress, ofClient);
  const byToken = limiter(rates.perToken, ({ identity }) => identity.tokenId);
  return {
    async checkAddress(request, reply) {
      refuseExceeded(await byAddress(request), reply, 'this address');
      refuseExceeded(await byWrongToken(request, { increment: false }), reply, 'wrong tokens from this address');
    },
    async noteWrongToken(request) {
      await byWrongToken(request);
    },
    async checkToken(request, reply) {
      refuseExceeded(await byToken(request), reply, 'this token');
    },
  };
}

export function registerRateLimit(app: ControlApp): void {
  app.register(rateLimit, { global: false, cache: REMEMBERED });
}

type Limit = Awaited<ReturnType<ReturnType<ControlApp['createRateLimit']>>>;

function refuseExceeded(limit: Limit, reply: FastifyReply, whose: string): void {
  if (limit.isAllowed || !limit.isExceeded) return;
  const seconds = Math.max(1, limit.ttlInSeconds);
  reply.header('retry-after', String(seconds));
  throw new PlatformError(
    'rateLimited',
    `Too many requests: ${whose} had more than ${limit.max} in a minute. Try again in ${seconds} s`,
  );
}
