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

const FIRST_CAPACITY = 4 * 1024;
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
  try {
    respond(store, exchange, account, question);
  } catch {
    exchange.reset(RESET_CODES.internal, 'The cache could not answer.');
  }
  onEnd();
  return IGNORE;
}

function respond(store: CacheStore, exchange: Exchange, account: AccountId, question: CacheQuestion | undefined): void {
  if (question === undefined) {
    exchange.reset(RESET_CODES.refused, 'The cache was asked something it does not know.');
    return;
  }
  const { cache } = question;
  const say = (done: boolean) => {
    exchange.respond(done ? OUTCOME.done : OUTCOME.none, '', undefined, true);
  };
  const tell = (lines: readonly string[]) => {
    exchange.respond(OUTCOME.found, '', Buffer.from(lines.join('\n'), 'utf8'), true);
  };
  switch (question.operation) {
    case 'match':
    case 'get': {
      const entry =
        question.operation === 'get' ? store.get(account, Number(question.url)) : store.match(account, cache, question);
      if (entry === undefined) return say(false);
      const { head, body } = toAnswer(entry, question, store.ageSeconds(entry));
      exchange.respond(OUTCOME.found, toHead(head), body, true);
      return;
    }
    case 'find':
      // An empty line after each.
      return tell(
        store
          .find(account, cache, question.url === '' ? undefined : question)
          .flatMap(({ id, url, requestFields }) => [String(id), url, ...requestFields, '']),
      );
    case 'names':
      return tell(store.names(account));
    case 'has':
      return say(store.has(account, cache));
    case 'drop':
      return say(store.drop(account, cache));
    case 'delete':
      return say(store.delete(account, cache, question));
    case 'put':
      return undefined;
  }
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

/** A response on its way into the cache: stored when all of it has come. */
class Put implements ExchangeEvents {
  readonly #store: CacheStore;
  readonly #exchange: Exchange;
  readonly #account: AccountId;
  readonly #question: CacheQuestion;
  readonly #onOver: () => void;
  readonly #verdict: Verdict | undefined;
  #body: Buffer = Buffer.alloc(0);
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
