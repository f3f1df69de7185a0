import type { AddressInfo, Socket } from 'node:net';
import { createSecureContext, createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';
import type { TlsPair } from './protocol.ts';

const HANDSHAKE_MS = 10_000;
const MIN_VERSION = 'TLSv1.2';

export interface TlsFrontOptions {
  readonly pairs: readonly TlsPair[];
  readonly maxConnections: number;
  /** A connection has come, before anything is said on it. */
  readonly onConnection: (socket: Socket) => void;
  /** A client's connection, by the protocol agreed on. */
  readonly onHttp1: (socket: TLSSocket) => void;
  readonly onHttp2: (socket: TLSSocket) => void;
}

/** TLS for the gateway's own port: certificates by the name that the client asks for, HTTP/2 where it knows it. */
export class TlsFront {
  readonly #server: Server;
  /** By host name, or `*.` and the parent's. */
  #contexts: ReadonlyMap<string, SecureContext> = new Map();

  constructor({ pairs, maxConnections, onConnection, onHttp1, onHttp2 }: TlsFrontOptions) {
    this.#server = createServer({
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
      minVersion: MIN_VERSION,
      SNICallback: (name, done) => done(null, this.#contextFor(name.toLowerCase())),
    });
    this.#server.maxConnections = maxConnections;
    this.#server.on('connection', onConnection);
    this.#server.on('secureConnection', (socket) => {
      if (socket.alpnProtocol === 'h2') onHttp2(socket);
      else onHttp1(socket);
    });
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.use(pairs);
  }

  /** From the next handshake on. Connections stay as they are. */
  use(pairs: readonly TlsPair[]): void {
    const [first] = pairs;
    if (first === undefined) throw new TypeError('Cannot use no certificate: at least one is needed');
    const contexts = new Map<string, SecureContext>();
    for (const { names, cert, key } of pairs) {
      const context = createSecureContext({ cert, key, minVersion: MIN_VERSION });
      for (const name of names) if (!contexts.has(name)) contexts.set(name, context);
    }
    this.#contexts = contexts;
    // For clients that name no host, or one that no certificate is for.
    this.#server.setSecureContext({ cert: first.cert, key: first.key, minVersion: MIN_VERSION });
  }

  /** Resolves with the port. */
  listen({ host, port, reusePort }: { host: string; port: number; reusePort: boolean }): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, reusePort, backlog: 4096 }, () => {
        this.#server.off('error', reject);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Accepts nothing more; resolves when the last connection has gone. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #contextFor(name: string): SecureContext | undefined {
    const dot = name.indexOf('.');
    return this.#contexts.get(name) ?? (dot === -1 ? undefined : this.#contexts.get(`*${name.slice(dot)}`));
  }
}
