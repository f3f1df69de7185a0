/** A Worker's question to the cache: an exchange on one side, the store on the other. */
import { type Exchange, type ExchangeEvents, RESET_CODES } from '../channel/index.ts';
import type { AccountId } from '../ids.ts';
import { MAX_CACHED_BODY_BYTES } from '../limits.ts';
import { type Answer, answer } from './conditional.ts';
import { type CacheQuestion, fieldValue, parseQuestion, type ResponseHead, toHead } from './head.ts';
import { judge, type Verdict } from './policy.ts';
import { type CacheStore, DEFAULT_CACHE, type Entry } from './store.ts';

/** Status of the exchange: what came of it. The status of a cached response is in the head. */
const OUTCOME = { found: 200, done: 204, none: 404, notStored: 413 } as const;

const MAX_LIST_CHARS = 1024 * 1024; // of what one `find` gives; what comes after is left out
const PIECE_BYTES = 64 * 1024;
const FIRST_CAPACITY = 4 * 1024;
const EMPTY = Buffer.alloc(0);
const IGNORE: ExchangeEvents = { onData() {}, onEnd() {}, onReset() {} };

/**
 * Answers an exchange from the cache of `account`. `head` as the guest's ABI has it (guest/abi.ts, CACHE). `onEnd` hears
 * when it is over, however.
 */
export function serveCache(
  store: CacheStore,
  exchange: Exchange,
  request: { account: AccountId; head: string; body: Buffer; fin: boolean; onEnd?: () => void },
): ExchangeEvents {
  const { account, onEnd = () => {} } = request;
  const question = parseQuestion(request.head);
  if (question?.operation === 'put') {
    const put = new Put(store, exchange, { account, question, onEnd });
    put.onData(request.body);
    if (request.fin) put.onEnd();
    return put;
  }
  if (question?.operation === 'match' || question?.operation === 'get') {
    const entry =
      question.operation === 'get'
        ? store.get(account, Number(question.url))
        : store.match(account, question.cache, question);
    if (entry !== undefined) {
      const release = store.hold(account, entry);
      const answer = toAnswer(entry, question, store.ageSeconds(entry));
      return new Hit(exchange, answer, () => {
        release();
        onEnd();
      });
    }
  }
  if (question === undefined) exchange.reset(RESET_CODES.refused, 'The cache was asked something it does not know.');
  else respond(store, exchange, account, question);
  onEnd();
  return IGNORE;
}

function respond(store: CacheStore, exchange: Exchange, account: AccountId, question: CacheQuestion): void {
  const { operation, cache, url } = question;
  switch (operation) {
    case 'find':
      return tell(exchange, listed(store.find(account, cache, url === '' ? undefined : question)));
    case 'names':
      return tell(exchange, store.names(account));
    case 'has':
      return say(exchange, store.has(account, cache));
    case 'drop':
      return say(exchange, store.drop(account, cache));
    case 'delete':
      return say(exchange, store.delete(account, cache, question));
    case 'match':
    case 'get':
      return say(exchange, false);
    case 'put':
      return undefined;
  }
}

/** With an empty line after each. */
function listed(entries: readonly Entry[]): string[] {
  const lines: string[] = [];
  let chars = 0;
  for (const { id, url, requestFields } of entries) {
    const added = [String(id), url, ...requestFields, ''];
    for (const line of added) chars += line.length + 1;
    if (chars > MAX_LIST_CHARS) break;
    lines.push(...added);
  }
  return lines;
}

function say(exchange: Exchange, done: boolean): void {
  exchange.respond(done ? OUTCOME.done : OUTCOME.none, '', undefined, true);
}

function tell(exchange: Exchange, lines: readonly string[]): void {
  exchange.respond(OUTCOME.found, '', Buffer.from(lines.join('\n'), 'utf8'), true);
}

/**
 * What `match` gives. In a named cache it is what was put there. The default one answers as a cache in front of a site
 * does: conditions and ranges are honoured, and it says how old the response is.
 */
function toAnswer(entry: Entry, { cache, requestFields }: CacheQuestion, ageSeconds: number): Answer {
  const { response: head, body } = entry;
  if (cache !== DEFAULT_CACHE) return { head, body };
  const fields = [...withoutAge(head), 'age', String(ageSeconds), 'cf-cache-status', 'HIT'];
  return answer({ head: { ...head, fields }, body }, requestFields);
}

function withoutAge({ fields }: ResponseHead): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (name !== 'age' && name !== 'cf-cache-status') kept.push(name, fields[i + 1] as string);
  }
  return kept;
}

/** A cached response on its way out, no faster than it is taken. */
class Hit implements ExchangeEvents {
  readonly #exchange: Exchange;
  readonly #onOver: () => void;
  #rest: Buffer;
  #over = false;

  constructor(exchange: Exchange, { head, body }: Answer, onOver: () => void) {
    this.#exchange = exchange;
    this.#onOver = onOver;
    this.#rest = body ?? EMPTY;
    const first = this.#take();
    try {
      exchange.respond(OUTCOME.found, toHead(head), first, this.#rest.byteLength === 0);
    } catch {
      // With what is added to it, the head is longer than a frame takes.
      exchange.reset(RESET_CODES.internal, 'The cached response cannot be sent.');
      this.#rest = EMPTY;
    }
    if (this.#rest.byteLength === 0) this.#finish();
    else this.onDrain();
  }

  onData(): void {}

  onEnd(): void {}

  onDrain(): void {
    if (this.#over) return;
    while (this.#rest.byteLength > 0) if (!this.#exchange.write(this.#take())) return;
    this.#exchange.end();
    this.#finish();
  }

  onReset(): void {
    if (!this.#over) this.#finish();
  }

  #take(): Buffer {
    const piece = this.#rest.subarray(0, PIECE_BYTES);
    this.#rest = this.#rest.subarray(piece.byteLength);
    return piece;
  }

  #finish(): void {
    this.#over = true;
    this.#onOver();
  }
}

/** A response on its way into the cache: stored when all of it has come. */
class Put implements ExchangeEvents {
  readonly #store: CacheStore;
  readonly #exchange: Exchange;
  readonly #account: AccountId;
  readonly #question: CacheQuestion;
  readonly #onOver: () => void;
  readonly #verdict: Verdict | undefined;
  #body: Buffer = EMPTY;
  #length = 0;
  #over = false;

  constructor(
    store: CacheStore,
    exchange: Exchange,
    { account, question, onEnd }: { account: AccountId; question: CacheQuestion; onEnd: () => void },
  ) {
    this.#store = store;
    this.#exchange = exchange;
    this.#account = account;
    this.#question = question;
    this.#onOver = onEnd;
    const { response, requestFields } = question;
    this.#verdict =
      response === undefined || fieldValue(response.fields, 'vary')?.includes('*') === true
        ? undefined
        : judge(requestFields, response);
    if (this.#verdict === undefined) this.#refuse();
  }

  onData(chunk: Buffer): void {
    if (this.#over || chunk.byteLength === 0) return;
    const length = this.#length + chunk.byteLength;
    if (length > this.#body.byteLength && !this.#grow(length)) return this.#refuse();
    chunk.copy(this.#body, this.#length);
    this.#length = length;
    this.#exchange.grant(chunk.byteLength);
  }

  onEnd(): void {
    const { response, cache, url, requestFields } = this.#question;
    if (this.#over || this.#verdict === undefined || response === undefined) return;
    this.#finish();
    const { fields, lifetimeMs, ageSeconds } = this.#verdict;
    const stored = this.#store.put(this.#account, {
      cache,
      url,
      requestFields,
      response: { ...response, fields },
      body: this.#takeBody(),
      lifetimeMs,
      ageSeconds,
    });
    this.#exchange.respond(stored ? OUTCOME.done : OUTCOME.notStored, '', undefined, true);
  }

  onReset(): void {
    if (!this.#over) this.#finish();
  }

  #takeBody(): Buffer | undefined {
    if (this.#length === 0) return undefined;
    if (this.#length === this.#body.byteLength) return this.#body;
    const body = Buffer.allocUnsafeSlow(this.#length);
    this.#body.copy(body);
    return body;
  }

  /** Room in a buffer of our own: chunks may be small parts of large ones. */
  #grow(length: number): boolean {
    if (length > MAX_CACHED_BODY_BYTES) return false;
    const announced = Number(fieldValue(this.#question.response?.fields ?? [], 'content-length'));
    const doubled = Math.max(2 * this.#body.byteLength, FIRST_CAPACITY, length);
    const capacity = Math.min(
      announced >= length && announced <= 2 * doubled ? announced : doubled,
      MAX_CACHED_BODY_BYTES,
    );
    if (!this.#store.reserve(this.#account, capacity - this.#body.byteLength)) return false;
    const body = Buffer.allocUnsafeSlow(capacity);
    this.#body.copy(body, 0, 0, this.#length);
    this.#body = body;
    return true;
  }

  /** It is not stored, and nor is what was there before: that has been replaced. */
  #refuse(): void {
    this.#finish();
    const { cache, url, requestFields } = this.#question;
    this.#store.delete(this.#account, cache, { url, requestFields, ignoreSearch: false, ignoreVary: false });
    this.#exchange.respond(OUTCOME.notStored, '', undefined, true);
    // Nobody takes the rest of the body.
    this.#exchange.reset(RESET_CODES.none, 'not stored');
  }

  #finish(): void {
    this.#over = true;
    this.#store.release(this.#account, this.#body.byteLength);
    this.#onOver();
  }
}
