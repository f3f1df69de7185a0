/** Who sends a request, as far as the connection and the proxies in front tell: the counterpart of the token's identity. */
import type { TrustedProxies } from '../trusted-proxies.ts';
import { unmapped } from '../trusted-proxies.ts';
import type { ControlApp } from './context.ts';

export interface Client {
  /** Of a proxy that is not trusted, its own. */
  readonly address: string;
  /** How the client has reached the control API. The control port itself speaks plain HTTP. */
  readonly scheme: 'http' | 'https';
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Instead of Fastify's `ip` and `protocol`, which know nothing of `--trust-proxy`. */
    readonly client: Client;
  }
}

export function registerClient(app: ControlApp, proxies: TrustedProxies): void {
  app.decorateRequest('client', {
    getter(): Client {
      const { socket, headers } = this.raw;
      const peer = unmapped(socket.remoteAddress ?? '');
      if (!proxies.has(peer)) return { address: peer, scheme: 'http' };
      return { address: proxies.clientOf(peer, headers), scheme: proxies.schemeOf(headers) ?? 'http' };
    },
  });
}
