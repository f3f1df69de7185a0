import type { WebSocket } from 'ws';
import { MAX_TAIL_BACKLOG_BYTES } from '../limits.ts';
import { keepAlive, leaveAlone } from '../web-socket/index.ts';
import { toOverloadEvent } from './tail-event.ts';

const MAX_BACKLOG_OF_ALL_BYTES = 64 * 1024 * 1024; // of all clients together
const PREVIEW = 'This tail does not keep up: events are left out until it does';

/** What all clients have waiting. */
export class Backlog {
  bytes = 0;
}

export interface TailClientOptions {
  readonly scriptName: string;
  readonly backlog: Backlog;
  readonly now: () => number;
  readonly onClose: () => void;
}

/**
 * The connection of who tails. One that takes its events too slowly, or not at all, loses some and is told so: what waits
 * for it is bounded, for itself and for all.
 */
export class TailClient {
  readonly #ws: WebSocket;
  readonly #options: TailClientOptions;
  #waiting = 0;
  /** Events left out since the last one that was sent. */
  #dropped = 0;
  /** Something has come in since the last ping. */
  #alive = true;

  constructor(ws: WebSocket, options: TailClientOptions) {
    this.#ws = ws;
    this.#options = options;
    const onSign = (): void => {
      this.#alive = true;
    };
    ws.on('message', onSign); // wrangler's `{"debug":false}`
    ws.on('ping', onSign); // answered by ws
    ws.on('pong', onSign);
    ws.on('error', () => {}); // its close follows
    ws.on('close', () => {
      leaveAlone(this);
      options.onClose();
    });
    keepAlive(this);
  }

  /** `dropped`: events before this one that were left out elsewhere. */
  send(event: string, dropped: number): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (dropped > 0) this.#sendNotice('overload-stop', `${dropped} events were left out: there were too many at once`);
    const { backlog } = this.#options;
    const ofAll = backlog.bytes + event.length;
    if (
      this.#waiting > 0 &&
      (this.#waiting + event.length > MAX_TAIL_BACKLOG_BYTES || ofAll > MAX_BACKLOG_OF_ALL_BYTES)
    ) {
      if (this.#dropped === 0) this.#sendNotice('overload', PREVIEW);
      this.#dropped++;
      return;
    }
    this.#write(event);
  }

  /** 1000 ends wrangler in good order; upon any other code it connects anew. */
  close(code: number, reason: string): void {
    this.#ws.close(code, reason);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Once in a while: cuts a connection that has been silent since the last time. */
  beat(): void {
    if (!this.#alive) {
      this.#ws.terminate();
      return;
    }
    this.#alive = false;
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  #write(text: string): void {
    const { backlog } = this.#options;
    const bytes = text.length; // ASCII
    this.#waiting += bytes;
    backlog.bytes += bytes;
    this.#ws.send(text, () => {
      this.#waiting -= bytes;
      backlog.bytes -= bytes;
      if (this.#waiting === 0 && this.#dropped > 0) {
        const dropped = this.#dropped;
        this.#dropped = 0;
        this.#sendNotice('overload-stop', `${dropped} events were left out: this tail did not keep up`);
      }
    });
  }

  #sendNotice(type: 'overload' | 'overload-stop', message: string): void {
    const { scriptName, now } = this.#options;
    if (this.#ws.readyState === this.#ws.OPEN) this.#write(toOverloadEvent(scriptName, { type, message, now: now() }));
  }
}
