import { MAX_REQUEST_BODY_BYTES } from '../limits.ts';
import type { ClientIn } from './client-io.ts';

const KEPT_BYTES = 65_536; // of a body, so that it can be sent again: what most have at most

/** What becomes of a request's body. */
export interface BodyTarget {
  /** It has been answered: nobody wants the body any more. */
  readonly done: boolean;
  /** False: no more for now, until `goOn`. */
  takeBody(chunk: Buffer): boolean;
  /** It is larger than allowed. */
  refuseBody(): void;
  endBody(): void;
}

/** A request's body on its way from the client: how much has come, how fast, and the beginning of it to be sent again. */
export class RequestBody {
  /** It has not ended yet. */
  uploading = true;
  readonly #req: ClientIn;
  /** What has come, while it may have to be sent again; undefined: too much, or the answer has begun. */
  #kept: Buffer[] | undefined = [];
  /** Bytes so far, and when the rate was last looked at. */
  #received = 0;
  #receivedBefore = 0;
  /** The cell has kept it waiting since then. */
  #heldUp = false;
  #isPaused = false;

  constructor(req: ClientIn) {
    this.#req = req;
  }

  /** Some of it has been read. */
  get hasBegun(): boolean {
    return this.#received > 0;
  }

  /** All that has been read; undefined when it is not here any more. */
  get kept(): readonly Buffer[] | undefined {
    return this.#kept;
  }

  forgetKept(): void {
    this.#kept = undefined;
  }

  /** Reads it from here on. */
  read(target: BodyTarget): void {
    const req = this.#req;
    req.on('data', (chunk: Buffer) => {
      this.#received += chunk.length;
      if (target.done) {
        // The rest is thrown away, so that the connection can be used again, but not without end.
        if (this.#received > 2 * MAX_REQUEST_BODY_BYTES) req.socket.destroy();
      } else if (this.#received > MAX_REQUEST_BODY_BYTES) {
        target.refuseBody();
      } else {
        if (this.#received > KEPT_BYTES) this.#kept = undefined;
        else this.#kept?.push(chunk);
        if (target.takeBody(chunk)) return;
        this.#isPaused = true;
        this.#heldUp = true;
        req.pause();
      }
    });
    req.on('end', () => {
      this.uploading = false;
      target.endBody();
    });
  }

  /** Waits for another cell. */
  hold(): void {
    if (this.uploading) this.#req.pause();
  }

  goOn(): void {
    this.#isPaused = false;
    if (this.uploading) this.#req.resume();
  }

  /** Whether less than `minBytes` has come since the last call, and it was not the cell that kept it waiting. */
  isSlow(minBytes: number): boolean {
    const isSlow = !this.#heldUp && this.#received - this.#receivedBefore < minBytes;
    this.#receivedBefore = this.#received;
    this.#heldUp = this.#isPaused;
    return isSlow;
  }
}
