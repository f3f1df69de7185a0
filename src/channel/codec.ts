/**
 * The wire format: what a frame looks like, and how large one may be.
 *
 *     [u32 length][u8 type][u32 stream][payload]      little endian; length counts what follows it
 *
 *     request   u8 fin · u32 headLength · head (latin1) · body
 *     response  u8 fin · u32 headLength · u16 status · head (latin1) · body
 *     data      body bytes
 *     end       nothing
 *     reset     u16 code · reason (UTF-8)
 *     credit    u32 bytes
 *     call      u32 jsonLength · JSON [method, params] · payload
 *     notify    u32 jsonLength · JSON [type, params] · payload          stream is 0
 *     result    u32 jsonLength · JSON value, or nothing · payload
 *     failure   u32 jsonLength · JSON [message, code]
 *
 * Exchanges take their stream from the opener's half of the numbers (odd or even), calls from a counter of the
 * caller's own. Numbers rise by serial arithmetic over 31 bits, so that they stay small integers in V8 and may wrap.
 */
export const FRAME = {
  request: 1,
  response: 2,
  data: 3,
  end: 4,
  reset: 5,
  credit: 6,
  call: 7,
  result: 8,
  failure: 9,
  notify: 10,
} as const;

/** The protocol's constants: both ends must agree on them. */
export const FRAME_LIMITS = {
  /** Body bytes that one direction of one exchange may send before it is granted more. */
  windowBytes: 256 * 1024,
  /** Body bytes in one frame, so that a large body does not hold up the other streams. */
  dataBytes: 64 * 1024,
  /** Head of a request or response: 128 KiB of headers, a 16 KiB URL, and what the gateway adds. */
  headBytes: 256 * 1024,
  /** Reason of a reset, in bytes; a longer one is cut. */
  reasonBytes: 1024,
  /** Exchanges open at once, per opener. Most that are open for long are WebSockets. */
  openExchanges: 32_768,
  /** Calls waiting for their result, per caller. */
  pendingCalls: 16_384,
  /** Default for the largest frame: code of a Worker passes through CALL and RESULT. */
  frameBytes: 32 * 1024 * 1024,
  /** Bytes waiting for a peer that does not read. More end the channel. */
  queuedBytes: 256 * 1024 * 1024,
} as const;

/** Why an exchange was reset. Numbers are on the wire: do not reuse one. */
export const RESET_CODES = {
  /** Nothing went wrong: the rest of the body is not wanted any more. */
  none: 0,
  /** The client went away. */
  canceled: 1,
  /** Not begun, because the peer or the channel is full: safe to try elsewhere. */
  refused: 2,
  /** The one who reset it failed. */
  internal: 3,
  /** The channel ended. Never sent; seen by the owners of the exchanges it carried. */
  channelClosed: 4,
  /** A body passed its limit. */
  tooLarge: 5,
  /** Of a WebSocket: the version that served it has been replaced, or its instance is gone. Connecting again helps. */
  restarted: 6,
} as const;

export const PREFIX_BYTES = 9;
export const REQUEST_FIXED_BYTES = 5;
export const RESPONSE_FIXED_BYTES = 7;
export const MAX_STREAM = 0x7fff_ffff;

/** The peer broke the protocol. The message names the violation and ends up in `onClose`. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Whether stream `a` was given out after `b`. Numbers wrap at 2^31: what is less than half way round ahead is later. */
export function isLater(a: number, b: number): boolean {
  return (a - b) << 1 > 0;
}

const { dataBytes, headBytes, reasonBytes } = FRAME_LIMITS;

/** Shortest and longest payload by type. Checked on the prefix alone: a lie about a length costs no memory. */
const MIN_PAYLOAD = [0, REQUEST_FIXED_BYTES, RESPONSE_FIXED_BYTES, 1, 0, 2, 4, 4, 4, 4, 4];
const MAX_PAYLOAD = [
  0,
  REQUEST_FIXED_BYTES + headBytes + dataBytes,
  RESPONSE_FIXED_BYTES + headBytes + dataBytes,
  dataBytes,
  0,
  2 + reasonBytes,
  4,
  Infinity,
  Infinity,
  Infinity,
  Infinity,
];

/** Throws ProtocolError unless a frame of this type may have this length. */
export function checkPrefix(type: number, length: number, stream: number, maxFrameBytes: number): void {
  const min = MIN_PAYLOAD[type];
  if (type === 0 || min === undefined) throw new ProtocolError(`unknown frame type ${type}`);
  const payload = length - 5;
  const max = Math.min(MAX_PAYLOAD[type] ?? 0, maxFrameBytes);
  if (payload < min || payload > max) {
    throw new ProtocolError(`frame of type ${type} has ${payload} bytes, allowed are ${min} to ${max}`);
  }
  if (stream > MAX_STREAM) throw new ProtocolError(`stream ${stream} is above ${MAX_STREAM}`);
}
