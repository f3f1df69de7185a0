/** One client connection that asks, waits for the whole answer, and tells. For the generators. */
import net from 'node:net';
import type { Target } from './load.ts';

export interface Lane {
  readonly socket: net.Socket;
  send(): void;
}

export interface Answered {
  readonly ms: number;
  /** 2xx and 3xx. */
  readonly isGood: boolean;
}

/** `next` tells which of the group's targets the next request is for, counted modulo their number. */
export function openLane(group: readonly Target[], next: () => number, onAnswer: (answer: Answered) => void): Lane {
  const requests = group.map(({ host }) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const socket = net.connect(group[0]?.port ?? 0, '127.0.0.1').setNoDelay(true);
  let sentAt = 0;
  let head = '';
  let isGood = true;
  /** Bytes of the answer still to come, once its head has; a chunked one has its end in the piece that ends so. */
  let due: number | undefined;
  socket.on('data', (chunk: Buffer) => {
    if (due === undefined) {
      head += chunk.toString('latin1');
      due = dueAfter(head);
      if (due === undefined) return;
      isGood = /^HTTP\/1\.1 [23]/.test(head);
      head = '';
    } else due -= chunk.length;
    if (due > 0) return;
    due = undefined;
    onAnswer({ ms: performance.now() - sentAt, isGood });
  });
  socket.on('error', () => {});
  return {
    socket,
    send: () => {
      sentAt = performance.now();
      socket.write(requests[next() % requests.length] ?? '');
    },
  };
}

/** Undefined while the head, or the end of a chunked body, is not there. */
function dueAfter(text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end + 2))?.[1];
  if (length === undefined) return text.endsWith('0\r\n\r\n') ? 0 : undefined;
  return end + 4 + Number(length) - text.length;
}
