/**
 * The frame protocol between processes: `[u32 length][u8 type][u32 stream][payload]` over a Unix stream socket.
 * Called by supervisor/, gateway/ and cell/. Knows nothing of HTTP beyond opaque heads, and nothing of Workers.
 * Promise: frames are gathered and written once a tick; both directions have credit per stream; whatever the peer
 * sends, the result is an exchange or a closed channel, never a crash, a hang or unbounded memory.
 * Start at channel.ts; codec.ts has the wire format.
 */
export { openChannel, type Channel, type ChannelHandlers, type ChannelOptions } from './channel.ts';
export type { CallAnswer, CallResult } from './calls.ts';
export { FRAME_LIMITS, RESET_CODES } from './codec.ts';
export { type Responder, openLocalExchange } from './local.ts';
export type { Exchange, ExchangeEvents } from './exchange.ts';
export {
  CLOSE_CODES,
  closeCodeOf,
  MESSAGE,
  MESSAGE_HEADER_BYTES,
  type MessageKind,
  MessageReader,
  type MessageSink,
  parseClose,
  writeClose,
  writeMessage,
} from './messages.ts';
