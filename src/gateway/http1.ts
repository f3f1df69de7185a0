import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_REQUEST_HEADER_BYTES, MAX_REQUEST_HEADERS } from '../limits.ts';
import type { ClientSocket } from './connections.ts';
import { findFault } from './faults.ts';
import type { PageName } from './pages.ts';
import type { Patience } from './protocol.ts';

const KEEP_ALIVE_MS = 75_000; // longer than the 60 s of common load balancers, so that they close first

export interface Http1Options {
  readonly patience: Patience;
  readonly maxConnections: number;
  readonly onConnection: (socket: ClientSocket) => void;
  /** `fault`: what is wrong with the request. */
  readonly onRequest: (req: IncomingMessage, res: ServerResponse, fault: PageName | undefined) => void;
  readonly onConnect: (req: IncomingMessage, socket: Duplex) => void;
  readonly onUpgrade: (req: IncomingMessage, socket: Duplex, head: Buffer) => void;
  readonly onError: (error: Error, socket: ClientSocket) => void;
}

/** Node's HTTP/1.1 server, set up so that nothing malformed is taken for something else. */
export function createHttp1Server({ patience, maxConnections, ...handlers }: Http1Options): Server {
  const server = createServer({
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: patience.headersMs,
    requestTimeout: patience.requestMs,
    connectionsCheckingInterval: patience.checkMs,
    requireHostHeader: false, // findFault() sees to it
    maxHeaderSize: MAX_REQUEST_HEADER_BYTES,
    // Spares the stream machinery for requests without a body: a fifth of the time of a hello.
    optimizeEmptyRequests: true,
    // Anything else that asks for an upgrade (curl asks for h2c) is content with an ordinary answer.
    shouldUpgradeCallback: (req) => req.headers.upgrade?.toLowerCase() === 'websocket',
  });
  server.maxConnections = maxConnections;
  server.maxHeadersCount = MAX_REQUEST_HEADERS; // the parser refuses more: none is left out in silence
  server.on('connection', handlers.onConnection);
  server.on('request', (req, res) => handlers.onRequest(req, res, findFault(req)));
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    const fault = findFault(req);
    if (fault === undefined) res.writeContinue();
    handlers.onRequest(req, res, fault);
  });
  server.on('checkExpectation', (req: IncomingMessage, res: ServerResponse) => {
    handlers.onRequest(req, res, findFault(req) ?? 'badExpectation');
  });
  server.on('connect', handlers.onConnect);
  server.on('upgrade', handlers.onUpgrade);
  server.on('clientError', (error, socket) => handlers.onError(error, socket as ClientSocket));
  return server;
}
