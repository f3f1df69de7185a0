import { FRAME, FRAME_LIMITS, isLater, MAX_STREAM, ProtocolError } from './codec.ts';
import { IdTable } from '../id-table.ts';
import type { FrameWriter } from './frame-writer.ts';

export interface CallAnswer {
  readonly value?: unknown;
  readonly payload?: Uint8Array;
}

export interface CallResult {
  readonly value: unknown;
  readonly payload: Buffer;
}

interface PendingCall {
  readonly id: number;
  resolve(result: CallResult): void;
  reject(error: Error): void;
}

interface CallHandlers {
  onCall?(method: string, params: unknown, payload: Buffer): Promise<CallAnswer | undefined>;
  onNotify?(type: string, params: unknown, payload: Buffer): void;
}

/** The calls of a channel, both directions: each side numbers its own, a result carries the number of its call. */
export class Calls {
  readonly #writer: FrameWriter;
  readonly #handlers: CallHandlers;
  readonly #maxFrameBytes: number;
  readonly #pending = new IdTable<PendingCall>(0);
  #lastOwnId = 0;
  #lastPeerId = 0;
  /** Calls of the peer that have no answer yet. */
  #answering = 0;

  constructor(writer: FrameWriter, handlers: CallHandlers, maxFrameBytes: number) {
    this.#writer = writer;
    this.#handlers = handlers;
    this.#maxFrameBytes = maxFrameBytes;
  }

  call(method: string, params: unknown, payload: Uint8Array | undefined): Promise<CallResult> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size >= FRAME_LIMITS.pendingCalls) {
        throw new Error(
          `Cannot call ${method}: ${this.#pending.size} calls are pending, limit is ${FRAME_LIMITS.pendingCalls}`,
        );
      }
      let id = this.#lastOwnId;
      do {
        id = (id + 1) & MAX_STREAM;
      } while (this.#pending.get(id) !== undefined);
      this.#writer.message(FRAME.call, id, JSON.stringify([method, params]), payload, this.#maxFrameBytes);
      this.#lastOwnId = id;
      this.#pending.add({ id, resolve, reject });
    });
  }

  notify(type: string, params: unknown, payload: Uint8Array | undefined): void {
    this.#writer.message(FRAME.notify, 0, JSON.stringify([type, params]), payload, this.#maxFrameBytes);
  }

  /** Takes a CALL, RESULT, FAILURE or NOTIFY frame. Throws ProtocolError on a violation. */
  receive(type: number, stream: number, bytes: Buffer): void {
    const jsonEnd = 4 + bytes.readUInt32LE(0);
    if (jsonEnd > bytes.length) throw new ProtocolError(`JSON of ${jsonEnd - 4} bytes does not fit its frame`);
    const json = parseJson(bytes.toString('utf8', 4, jsonEnd));
    const payload = bytes.subarray(jsonEnd);
    if (type === FRAME.call) this.#onCall(stream, json, payload);
    else if (type === FRAME.notify) this.#onNotify(json, payload);
    else this.#onResult(type, stream, json, payload);
  }

  rejectAll(reason: string): void {
    const pending = this.#pending.values();
    this.#pending.clear();
    for (const call of pending) call.reject(new Error(`Call failed: ${reason}`));
  }

  #onCall(id: number, json: unknown, payload: Buffer): void {
    const [method, params] = parseMessage(json);
    if (!isLater(id, this.#lastPeerId)) throw new ProtocolError(`call ${id} was made before`);
    if (this.#answering >= FRAME_LIMITS.pendingCalls) {
      throw new ProtocolError(`more than ${FRAME_LIMITS.pendingCalls} calls are pending`);
    }
    this.#lastPeerId = id;
    this.#answering++;
    void this.#answer(id, method, params, payload);
  }

  async #answer(id: number, method: string, params: unknown, payload: Buffer): Promise<void> {
    try {
      if (this.#handlers.onCall === undefined) throw new Error(`Cannot call ${method}: calls are not taken here`);
      const answer = await this.#handlers.onCall(method, params, payload);
      const json = answer?.value === undefined ? '' : JSON.stringify(answer.value);
      this.#writer.message(FRAME.result, id, json, answer?.payload, this.#maxFrameBytes);
    } catch (error) {
      this.#writer.message(FRAME.failure, id, toFailure(error), undefined, this.#maxFrameBytes);
    }
    this.#answering--;
  }

  #onNotify(json: unknown, payload: Buffer): void {
    const [type, params] = parseMessage(json);
    this.#handlers.onNotify?.(type, params, payload);
  }

  #onResult(type: number, id: number, json: unknown, payload: Buffer): void {
    const call = this.#pending.get(id);
    if (call === undefined) throw new ProtocolError(`result of call ${id}, which is not pending`);
    // Parsed first: a throw leaves the call pending, to be rejected with the rest when the channel ends.
    const failure = type === FRAME.failure ? parseFailure(json) : undefined;
    this.#pending.delete(id);
    if (failure === undefined) call.resolve({ value: json, payload });
    else call.reject(failure);
  }
}

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError('malformed JSON', { cause });
  }
}

function parseMessage(json: unknown): [string, unknown] {
  if (!Array.isArray(json) || typeof json[0] !== 'string') throw new ProtocolError('message has no name');
  // JSON.stringify turns an undefined in an array into null: absent params arrive as null.
  return [json[0], json[1]];
}

function toFailure(error: unknown): string {
  const { message, code } = error instanceof Error ? (error as Error & { code?: unknown }) : { message: String(error) };
  const kept = typeof code === 'string' || typeof code === 'number' ? code : undefined;
  return JSON.stringify([message.slice(0, 64 * 1024), kept]);
}

function parseFailure(json: unknown): Error {
  if (!Array.isArray(json) || typeof json[0] !== 'string') throw new ProtocolError('failure has no message');
  const error: Error & { code?: string | number } = new Error(json[0]);
  if (typeof json[1] === 'string' || typeof json[1] === 'number') error.code = json[1];
  return error;
}
