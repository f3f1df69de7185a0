const WINDOW_MS = 20_000;
const MIN_BYTES = 2_000; // in a window: 100 a second, less than any modem

/** A request whose body is on its way. */
export interface Upload {
  /** Ends it unless so many bytes have come since the last time, or it was not the client who kept them waiting. */
  checkRate(minBytes: number): void;
}

/** Against clients that send a body byte by byte, to keep everything busy that waits for it. One timer for all. */
export class UploadWatch {
  readonly #uploads = new Set<Upload>();
  readonly #windowMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(windowMs = WINDOW_MS) {
    this.#windowMs = windowMs;
  }

  add(upload: Upload): void {
    this.#uploads.add(upload);
    this.#timer ??= setInterval(() => this.#check(), this.#windowMs);
  }

  remove(upload: Upload): void {
    this.#uploads.delete(upload);
  }

  #check(): void {
    for (const upload of this.#uploads) upload.checkRate(MIN_BYTES);
    if (this.#uploads.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
