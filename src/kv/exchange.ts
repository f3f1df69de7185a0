/** A Worker's question to a KV namespace: an exchange on one side, the store on the other. */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import { PlatformError } from '../errors.ts';
import type { AccountId } from '../ids.ts';
import { MAX_KV_KEYS_READ, MAX_KV_LIST_KEYS, MAX_KV_VALUE_BYTES } from '../limits.ts';
import type { KvAddress, KvEntry, KvStore } from '../store/index.ts';
import { packEntries, toListBody } from './answers.ts';
import type { PendingBytes } from './pending-bytes.ts';
import { type KvQuestion, parseKeys, parseKvQuestion } from './question.ts';
import { checkKey, checkKeyLength, checkMetadata, checkValue, fromCursor, KvRuleError, toExpiration } from './rules.ts';

const SMALL_BYTES = 64 * 1024; // up to these nobody waits for a turn
const PIECE_BYTES = 64 * 1024;
const STALLED_MS = 30_000; // a value on its way that does not move: its room is for others
const EMPTY = Buffer.alloc(0);

export interface KvService {
  readonly store: KvStore;
  readonly pending: PendingBytes;
  /** ms since 1970. */
  readonly now: () => number;
}

export interface KvRequest {
  readonly account: AccountId;
  /** The namespace. */
  readonly id: string;
  readonly head: string;
  readonly body: Buffer;
  readonly fin: boolean;
  /** Called when the exchange is over, however. */
  readonly onEnd: () => void;
}

/** Answers an exchange from a namespace of `account`. Heads and bodies as the guest's ABI has them (guest/abi.ts, KV). */
export function serveKv(service: KvService, exchange: Exchange, request: KvRequest): ExchangeEvents {
  const answering = new Answering(service, exchange, request);
  answering.start(request);
  return answering;
}

class Answering implements ExchangeEvents {
  readonly #service: KvService;
  readonly #exchange: Exchange;
  readonly #address: KvAddress;
  readonly #onEnd: () => void;
  readonly #gone = new AbortController();
  #question: KvQuestion | undefined;
  /** What has come of the body. */
  #chunks: Buffer[] = [];
  #received = 0;
  /** How much of it may come, once that has been made out. */
  #allowed = 0;
  #complete = false;
  /** What is still to be sent. */
  #rest: Buffer = EMPTY;
  #release: (() => void) | undefined;
  #stalled: NodeJS.Timeout | undefined;
  #over = false;

  constructor(service: KvService, exchange: Exchange, { account, id, onEnd }: KvRequest) {
    this.#service = service;
    this.#exchange = exchange;
    this.#address = { account, namespace: id };
    this.#onEnd = onEnd;
  }

  start({ head, body, fin }: KvRequest): void {
    this.#complete = fin;
    this.#try(async () => {
      const question = (this.#question = parseKvQuestion(head));
      const takesBody = question.operation === 'put' || question.operation === 'many';
      if (!takesBody) return this.#answer();
      this.#keep(body);
      if (fin) return this.#answer();
      await this.#makeRoom(question);
      this.#exchange.grant(this.#received);
      if (this.#complete) await this.#answer();
    });
  }

  onData(chunk: Buffer): void {
    if (this.#over || this.#complete) return;
    this.#stalled?.refresh();
    this.#try(async () => this.#keep(chunk));
    if (!this.#over && this.#allowed > 0) this.#exchange.grant(chunk.byteLength);
  }

  onEnd(): void {
    if (this.#over || this.#complete) return;
    this.#complete = true;
    // Otherwise it is answered when there is room.
    if (this.#allowed > 0) this.#try(() => this.#answer());
  }

  onDrain(): void {
    this.#stalled?.refresh();
    if (this.#rest.byteLength > 0) this.#send();
  }

  onReset(): void {
    this.#finish();
  }

  #try(run: () => Promise<void>): void {
    run().catch((error: unknown) => this.#fail(error));
  }

  async #makeRoom(question: KvQuestion): Promise<void> {
    const announced = question.operation === 'put' ? (question.bytes ?? MAX_KV_VALUE_BYTES) : MAX_KEYS_BYTES;
    if (question.operation === 'put') checkValue(announced);
    if (!(announced <= SMALL_BYTES)) await this.#take(announced);
    this.#allowed = Math.max(announced, 1);
    if (this.#received > announced) throw tooMuch(announced);
  }

  #keep(chunk: Buffer): void {
    this.#received += chunk.byteLength;
    if (this.#allowed > 0 && this.#received > this.#allowed) throw tooMuch(this.#allowed);
    // A copy: chunks are parts of what the channel reads into.
    if (chunk.byteLength > 0) this.#chunks.push(Buffer.from(chunk));
  }

  async #answer(): Promise<void> {
    const { store, now } = this.#service;
    const question = this.#question!;
    switch (question.operation) {
      case 'get':
        return this.#get(question.key);
      case 'many':
        return this.#many(parseKeys(this.#takeBody()));
      case 'delete':
        checkKey(question.key);
        await store.delete(this.#address, [question.key]);
        return this.#respond(204);
      case 'list': {
        const { prefix, limit, cursor } = question;
        checkKeyLength(prefix);
        checkLimit(limit);
        const after = fromCursor(cursor);
        return this.#respond(200, '', toListBody(await store.list(this.#address, { prefix, limit, after })));
      }
      case 'put': {
        const { key, metadata } = question;
        checkKey(key);
        if (metadata !== undefined) checkMetadata(metadata);
        const expiresAt = toExpiration(question, now());
        const value = this.#takeBody();
        checkValue(value.byteLength);
        const entry: KvEntry = {
          key,
          value,
          ...(metadata !== undefined && { metadata }),
          ...(expiresAt !== undefined && { expiresAt }),
        };
        await store.put(this.#address, [entry]);
        return this.#respond(204);
      }
    }
  }

  async #get(key: string): Promise<void> {
    checkKey(key);
    const [entry] = await this.#read([key], Infinity);
    if (entry === undefined) this.#respond(404);
    else this.#respond(200, encodeURIComponent(entry.metadata ?? ''), toBuffer(entry.value));
  }

  async #many(keys: readonly string[]): Promise<void> {
    if (keys.length > MAX_KV_KEYS_READ) {
      throw new KvRuleError(400, `You can request a maximum of ${MAX_KV_KEYS_READ} keys`);
    }
    for (const key of keys) checkKey(key);
    this.#respond(200, '', packEntries(await this.#read(keys, MAX_KV_VALUE_BYTES)));
  }

  /** Small ones at once, others when there is room for them. */
  async #read(keys: readonly string[], maxBytes: number): Promise<readonly (KvEntry | undefined)[]> {
    let room = SMALL_BYTES;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- again only when it has grown meanwhile
      const { entries, tooLarge } = await this.#service.store.read(this.#address, keys, { maxBytes: room });
      if (entries !== undefined) return entries;
      if (tooLarge > maxBytes)
        throw new KvRuleError(413, `Total size of request exceeds the limit of ${maxBytes} bytes`);
      room = tooLarge;
      // oxlint-disable-next-line no-await-in-loop
      await this.#take(room);
    }
  }

  async #take(bytes: number): Promise<void> {
    this.#release?.();
    this.#release = undefined;
    const { pending } = this.#service;
    const release = await pending.take(this.#address.account, bytes, this.#gone.signal);
    if (this.#over) return release();
    this.#release = release;
    this.#stalled ??= setTimeout(() => {
      this.#exchange.reset(RESET_CODES.internal, 'The value did not move for too long.');
      this.#finish();
    }, STALLED_MS).unref();
    this.#stalled.refresh();
  }

  #takeBody(): Buffer {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    this.#chunks = [];
    return body;
  }

  #respond(status: number, head = '', body: Buffer = EMPTY): void {
    if (this.#over) return;
    const first = body.subarray(0, PIECE_BYTES);
    this.#rest = body.subarray(first.byteLength);
    const isAll = this.#rest.byteLength === 0;
    this.#exchange.respond(status, head, first.byteLength === 0 ? undefined : first, isAll);
    if (isAll) this.#close();
    else this.#send();
  }

  #send(): void {
    while (this.#rest.byteLength > 0) {
      const piece = this.#rest.subarray(0, PIECE_BYTES);
      this.#rest = this.#rest.subarray(piece.byteLength);
      if (!this.#exchange.write(piece)) break;
    }
    if (this.#rest.byteLength > 0) return;
    this.#exchange.end();
    this.#close();
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    if (error instanceof KvRuleError || error instanceof PlatformError)
      this.#respond(error.status, toLine(error.message));
    else {
      this.#exchange.reset(RESET_CODES.internal, 'KV is not there at the moment.');
      this.#finish();
    }
  }

  /** Answered. Nobody takes the rest of a body. */
  #close(): void {
    if (this.#over) return;
    if (!this.#complete) this.#exchange.reset(RESET_CODES.none, 'not wanted any more');
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#stalled);
    this.#gone.abort();
    this.#release?.();
    this.#chunks = [];
    this.#rest = EMPTY;
    this.#onEnd();
  }
}

const MAX_KEYS_BYTES = 256 * 1024; // of `many`: a hundred keys, each unit of them in three characters

function checkLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_KV_LIST_KEYS) return;
  const allowed = limit >= 1 ? `less than or equal to ${MAX_KV_LIST_KEYS}` : 'greater than 0';
  throw new KvRuleError(400, `Invalid key_count_limit of ${limit}. Please specify an integer ${allowed}.`);
}

function tooMuch(allowed: number): KvRuleError {
  return new KvRuleError(413, `Value length exceeds ${allowed}.`);
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** In the letters that a head may have. */
function toLine(message: string): string {
  return message.replace(/[^\u0020-\u007e]/g, '?');
}
