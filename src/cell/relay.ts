/** Two exchanges that carry messages, joined end to end: bytes pass without being looked at, each way no faster than taken. */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';

/** What stands in for a client's exchange once it carries messages. */
export interface ClientSocket extends ExchangeEvents {
  /** The invocation ends before the socket did. */
  terminate(resetCode: number): void;
}

export interface Joined {
  /** The events of the exchange to the left. */
  readonly left: ClientSocket;
  readonly right: ClientSocket;
  reset(code: number): void;
}

/** `onEnd`: both have ended, or one was reset by its peer and the other in consequence. */
export function joinExchanges(left: Exchange, right: Exchange, onEnd: () => void): Joined {
  let open = 2;
  let over = false;
  const finish = (): void => {
    if (over) return;
    over = true;
    onEnd();
  };
  const reset = (code: number): void => {
    over = true;
    left.reset(code);
    right.reset(code);
  };
  const side = (own: Exchange, other: Exchange, backlog: Backlog, otherBacklog: Backlog): ClientSocket => ({
    onData(chunk) {
      if (other.write(chunk)) own.grant(chunk.length);
      else backlog.bytes += chunk.length;
    },
    onDrain() {
      other.grant(otherBacklog.bytes);
      otherBacklog.bytes = 0;
    },
    onEnd() {
      other.end();
      open--;
      if (open === 0) finish();
    },
    onReset(code) {
      other.reset(code === RESET_CODES.channelClosed ? RESET_CODES.canceled : code);
      finish();
    },
    terminate: reset,
  });
  const fromLeft: Backlog = { bytes: 0 };
  const fromRight: Backlog = { bytes: 0 };
  return { left: side(left, right, fromLeft, fromRight), right: side(right, left, fromRight, fromLeft), reset };
}

/** Bytes of one end that wait at the other. */
interface Backlog {
  bytes: number;
}
