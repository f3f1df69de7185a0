/** Who sends a request, as far as the connection and the proxies in front tell: the counterpart of the token's identity. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
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
  const known = new WeakMap<IncomingMessage, Client>();
  app.decorateRequest('client', {
    getter(): Client {
      let client = known.get(this.raw);
      if (client === undefined) known.set(this.raw, (client = toClient(this.raw, proxies)));
      return client;
    },
  });
  // A request loses its socket with the end of its body, or when the connection breaks.
  app.addHook('onRequest', async ({ client }) => void client);
}

function toClient({ socket, headers }: IncomingMessage, proxies: TrustedProxies): Client {
  const peer = unmapped((socket as Socket | null)?.remoteAddress ?? '');
  if (!proxies.has(peer)) return { address: peer, scheme: 'http' };
  return { address: proxies.clientOf(peer, headers), scheme: proxies.schemeOf(headers) ?? 'http' };
}
