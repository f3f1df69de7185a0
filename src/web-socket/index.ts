/**
 * The WebSocket protocol, where a connection of a client's or to a server's meets an exchange of the channel.
 * Called by gateway/ and runtime/ (clients) and broker/ (servers). A cell sees none of it: only messages, as channel/messages.ts says.
 * Promise: pings, fragments and UTF-8 are dealt with here; a peer that is dead, slow or hostile costs bounded memory
 * and its own connection only.
 * Start at session.ts. The frames themselves are the business of the `ws` package.
 */
export { completeHandshake, isHandshake, toPlainResponse, type Upgrade } from './handshake.ts';
export { keepAlive, leaveAlone } from './keep-alive.ts';
export { SESSION_OPTIONS, WebSocketSession } from './session.ts';
