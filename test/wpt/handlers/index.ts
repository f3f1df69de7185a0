/**
 * The parts of wptserve that the scored tests need: what its `.py` files do, by the path of each.
 * Called by server.ts. Start at handler.ts.
 */
import { CACHE_HANDLERS } from './cache.ts';
import { EVENT_SOURCE_HANDLERS } from './event-source.ts';
import { FETCH_HANDLERS } from './fetch.ts';
import type { Handler } from './handler.ts';

export { closeWebSockets, serveWebSocket } from './web-sockets.ts';
export { type Answer, type Handler, pause, type Stash, TestRequest } from './handler.ts';

export const HANDLERS: Readonly<Record<string, Handler>> = {
  ...CACHE_HANDLERS,
  ...EVENT_SOURCE_HANDLERS,
  ...FETCH_HANDLERS,
};
