/** The host's side of the bridge against a guest that is no longer ours: whatever it asks, nothing breaks or piles up. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Exchange, openLocalExchange } from '../channel/index.ts';
import { Engine } from '../engine/index.ts';
import { CACHE_INDEX, ENTER, HOST, HOST_SYNC } from '../guest/abi.ts';
import { buildGuest, WARMUP } from '../guest/index.ts';
import { Random, SEED } from '../guest/testing/random.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { DEFAULT_LIMITS, MAX_PENDING_HOST_CALLS, MAX_TIMERS, MAX_WEB_SOCKETS } from '../limits.ts';
import type { VersionCode } from '../model.ts';
import type { CellHost } from './host.ts';
import { HostCallTimes } from './host-call-times.ts';
import { handleHostCall, handleHostQuestion } from './host-calls.ts';
import type { Instance } from './instance.ts';
import { Instances } from './instances.ts';
import { Invocation } from './invocation.ts';

const CALLS = Number(process.env['ISOLA_FUZZ_RUNS'] ?? 50_000) / 10; // each takes about 1 ms
const INVOCATIONS = 4;
const CALLS_IN_A_TURN = 20;
const MAX_CALL_MS = 1_000; // a call takes 5 ms at most; a busy machine takes its time between
const NAMES =
  /^(?:Error|RangeError|TypeError|DataError|InvalidAccessError|InvalidStateError|NotSupportedError|OperationError|QuotaExceededError|SyntaxError)$/;
const INTERNAL = /isolated-vm|node_modules|isola:|(?:^|[\s("'])\/(?:\w+\/)+\w|file:|\n\s+at |ivm/;

/** Of `text`, the words. */
const words = (text: string): string[] => text.split(' ');
const OPERATIONS = [
  ...words(
    'decapsulateBits decrypt deriveBits deriveKey digest encapsulateBits encrypt exportKey finishDigest free generateKey ' +
      'getPublicKey importKey openDigest sign supports unwrapKey updateDigest verify wrapKey constructor __proto__',
  ).map((name) => `crypto.${name}`),
  ...words(
    'digest openHash openCipher update final copy close setUp key exportKey sign encrypt agree pbkdf2 scrypt hkdf keyPair toString',
  ).map((name) => `node-crypto.${name}`),
  ...words('open write params reset close hasOwnProperty').map((name) => `zlib.${name}`),
  ...words('wasm.cap wasm. . wasm __proto__.get constructor.name toString.call'),
  '',
];

const TEXTS = [
  '',
  '\n',
  '\0',
  'isola:\n'.repeat(1_000),
  'x'.repeat(70_000),
  'GET\nhttp://a/\nfollow',
  'GET\nhttp://a/\nfollow\nupgrade\nwebsocket',
  'PUT\nnonsense\n\n\n',
  'match\nhttp://a/\n\nd',
  'names\n\n\n',
  ...words('{} [] null " __proto__ constructor then AES-GCM SHA-256 sha256 ok 200 \ud800 \u00fc\u{1f600}'),
];
const NUMBERS = [0, 1, 2, 3, 4, 5, 7, 13, -1, -2, 0.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 32, 2 ** 53, 1e300, -0];
const ALGORITHMS = [
  'AES-GCM',
  'AES-CBC',
  'HMAC',
  'SHA-256',
  'PBKDF2',
  'HKDF',
  'ECDSA',
  'Ed25519',
  'RSA-OAEP',
  'Argon2id',
];
const FIELDS: Readonly<Record<string, readonly unknown[]>> = {
  algorithm: ['sha256', 'sha512', 'shake256', 'aes-256-gcm', 'aes-128-cbc', 'chacha20-poly1305', 'aes-128-ecb', 'nope'],
  digest: ['sha256', 'md5', 'nope'],
  format: ['gzip', 'deflate', 'deflate-raw', 'unzip', 'brotli', 'zstd', 'pem', 'der', 'jwk', 'raw'],
  type: ['rsa', 'ec', 'ed25519', 'x448', 'dh', 'pkcs8', 'spki', 'private', 'public', 'secret'],
  namedCurve: ['P-256', 'secp256k1', 'nope'],
  kind: ['private', 'public'],
  flush: ['none', 'sync', 'full', 'finish', 'nope'],
  what: ['tag', 'aad'],
};
const COUNTS = words(
  'id level strategy windowBits memLevel length iterations N r p outputLength modulusLength publicExponent padding saltLength ' +
    'authTagLength plaintextLength',
);
const SWITCHES = words('compress atOnce keyed hasIv decrypts autoPadding wantsTag');

/** What a hostile guest would send. */
class Guesses {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  id(): unknown {
    return this.#random.chance(90) ? this.#random.below(40) : this.value();
  }

  bytes(): ArrayBuffer {
    const length = this.#random.pick([0, 1, 8, 12, 16, 32, 64, 100, 1_000, 20_000, 70_000]);
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.#random.below(256);
    return bytes.buffer;
  }

  /** Of the kinds that isolated-vm lets through. */
  value(): unknown {
    switch (this.#random.below(8)) {
      case 0:
      case 1:
        return this.#random.pick(NUMBERS);
      case 2:
      case 3:
        return this.#random.pick(TEXTS);
      case 4:
        return this.bytes();
      case 5:
        return this.#random.pick([undefined, null, true, false, 12n, -(2n ** 70n)]);
      case 6:
        return new Uint8Array(this.bytes());
      default:
        return this.#random.pick<unknown>([{}, [], { toString: 1, valueOf: 1 }, [[[]]], new Date(NaN), new Map()]);
    }
  }

  operation(): string {
    return this.#random.chance(97) ? this.#random.pick(OPERATIONS) : this.#random.pick(TEXTS);
  }

  parameters(operation: string): string {
    if (this.#random.chance(5)) return this.#random.pick(TEXTS);
    if (operation.startsWith('crypto.') && this.#random.chance(80)) return JSON.stringify(this.#subtle());
    const fields: Record<string, unknown> = {};
    for (const [key, values] of Object.entries(FIELDS)) {
      if (this.#random.chance(60)) fields[key] = this.#random.pick(values);
    }
    for (const key of COUNTS) if (this.#random.chance(50)) fields[key] = this.#count();
    for (const key of SWITCHES) if (this.#random.chance(40)) fields[key] = this.#random.chance(50);
    fields['lengths'] = this.#random.pick([[], [16], [32, 12], [32, 12, 4], [1, 1, 1], [-1], ['1'], {}, null]);
    if (this.#random.chance(10)) fields['ids'] = [this.#count(), null, {}];
    const text = JSON.stringify(fields);
    return this.#random.chance(5) ? text.replace('{', '{"__proto__":{"length":9},') : text;
  }

  #count(): unknown {
    return this.#random.chance(85)
      ? this.#random.below(20)
      : this.#random.pick([-1, 0.5, 65_537, 2 ** 31, 2 ** 53, 'x', null, {}]);
  }

  #subtle(): unknown {
    const args: Record<string, unknown> = {};
    for (let i = this.#random.below(8); i > 0; i--) args[i] = this.#argument(0);
    return this.#random.chance(90)
      ? { args }
      : this.#random.pick([{ args: null }, { args: [[]] }, 1, 2, '1,2,x', 'MD5', []]);
  }

  #argument(depth: number): unknown {
    switch (this.#random.below(7)) {
      case 0:
        return { bytes: this.#random.below(40), at: this.#random.below(20) };
      case 1:
        return { key: this.#random.below(10) };
      case 2:
        return { usages: this.#random.pick(['', 'sign,verify', 'encrypt,decrypt', 'deriveBits', 'nope']) };
      case 3:
        return {
          jwk: this.#random.pick([
            null,
            {},
            { kty: 'oct', k: 'AAAA' },
            { kty: 'RSA', n: {}, e: 1 },
            { key_ops: { 0: 'sign' } },
          ]),
        };
      case 4:
        return this.#random.pick([null, true, 'raw', 'jwk', 'pkcs8', 128, 256, -1, ...ALGORITHMS]);
      default: {
        const algorithm: Record<string, unknown> = { name: this.#random.pick(ALGORITHMS) };
        for (const key of [
          'iv',
          'salt',
          'info',
          'hash',
          'length',
          'iterations',
          'public',
          'namedCurve',
          'publicExponent',
          'modulusLength',
          'memory',
          'passes',
          'parallelism',
          'nonce',
          '__proto__',
        ]) {
          if (this.#random.chance(40))
            algorithm[key] = depth > 3 ? 1 : this.#random.chance(50) ? this.#argument(depth + 1) : this.#count();
        }
        return algorithm;
      }
    }
  }
}

const VERSION = 'version' as VersionId;
const CODE: VersionCode = {
  spec: {
    id: VERSION,
    account: 'account' as AccountId,
    worker: 'worker' as WorkerName,
    tag: '',
    createdOn: '',
    mainModule: 'index.js',
    bindings: [{ type: 'service', name: 'SELF', service: 'worker' as WorkerName }],
    compatibilityDate: '2026-01-01',
    compatibilityFlags: [],
    limits: { ...DEFAULT_LIMITS, cpuMs: 60_000, subrequests: 1_000 },
  },
  modules: [
    {
      name: 'index.js',
      kind: 'esm',
      content: Buffer.from('export default { fetch: () => new Promise((done) => setTimeout(done, 1e9)) }'),
    },
  ],
};

describe('Host calls of a hostile guest', () => {
  let engine: Engine;
  let instances: Instances;
  let unhandled: unknown;
  const onUnhandled = (error: unknown) => (unhandled ??= error);

  before(async () => {
    const { source, parts, assets } = await buildGuest();
    engine = await Engine.start({
      guest: { source, parts, assets, warmup: WARMUP },
      spares: 0,
      onStuck: 'ignore',
      onCatastrophe: (message) => assert.fail(message),
      now: Date.now,
    });
    const host: CellHost = {
      loadVersion: () => Promise.resolve(CODE),
      resolveService: () => Promise.resolve(undefined),
      openFetch: (_, head, body, options) => openAnswer(head, body, options),
      openResource: (_, { head }, body, options) => openAnswer(head, body, options),
      record: () => {},
      recordStart: () => {},
    };
    let entries = 0;
    instances = new Instances({
      engine,
      host,
      owner: {
        host,
        hostCalls: new HostCallTimes(),
        now: Date.now,
        callService: (_, call) => call.fail('No such service'),
        onStarted: () => {},
        countEntry: () => ++entries,
        onCondemned: (instance) => instances.remove(instance),
      },
      memoryBudgetBytes: 2 ** 30,
    });
    process.on('unhandledRejection', onUnhandled);
    process.on('uncaughtException', onUnhandled);
  });
  after(async () => {
    instances.disposeAll();
    await engine.close();
    process.off('unhandledRejection', onUnhandled);
    process.off('uncaughtException', onUnhandled);
  });

  it(`are answered, refused or dropped, in bounds (seed ${SEED})`, async () => {
    const random = new Random(SEED);
    const guesses = new Guesses(random);
    let instance = await start();
    const open = new Set<Invocation>();
    let slowest = { ms: 0, what: '' };
    for (let call = 0; call < CALLS; call++) {
      if (instance.disposed) instance = await start();
      while (open.size < INVOCATIONS && !instance.disposed) await begin(instance, open, random);
      const [what, perform] = guess(instance, random, guesses);
      const startedAt = performance.now();
      try {
        perform();
      } catch (error) {
        assert.fail(`Call ${call}, ${what}, threw ${String((error as Error).stack)}`);
      }
      const ms = performance.now() - startedAt;
      if (ms > slowest.ms) slowest = { ms, what };
      assertBounded(instance, what);
      if (call % CALLS_IN_A_TURN === 0) await nextTurn();
      assert.equal(
        unhandled,
        undefined,
        `About call ${call}, ${what}: ${String((unhandled as Error | undefined)?.stack)}`,
      );
    }
    assert.ok(slowest.ms < MAX_CALL_MS, `${slowest.what} took ${slowest.ms} ms`);
    for (const invocation of open) invocation.finish('canceled');
    while (instance.pendingAsks > 0) await nextTurn();
    assert.deepEqual(sizesOf(instance), { timers: 0, calls: 0, sockets: 0, inStreams: 0, outStreams: 0 });
    instance.dispose();
    assert.equal(instance.services.heldBytes, 0, 'what services hold');
    assert.equal(instance.heldBytes, 0, 'what bodies hold');
  });

  async function start(): Promise<Instance> {
    const instance = await instances.acquire(VERSION, { cold: true });
    const enter = instance.enter.bind(instance);
    instance.enter = (invocation, op, id, a, b, c) => {
      if (op === ENTER.answer) assertAnswer(a, b, c);
      if (op === ENTER.deliver && a === 0) assertMessage(String(b));
      enter(invocation, op, id, a, b, c);
    };
    return instance;
  }
});

/** Resolves when it has entered the isolate. */
function begin(instance: Instance, open: Set<Invocation>, random: Random): Promise<void> {
  const head = random.chance(50) ? 'GET\nhttp://worker/' : 'GET\nhttp://worker/\nupgrade\nwebsocket';
  const streams = random.chance(50);
  return new Promise((resolve) => {
    const respond = (exchange: Exchange): Invocation => {
      const event = { kind: 'fetch', ray: 'ray', clientIp: '', head, depth: 0 } as const;
      const owner = { onFinish: () => open.delete(invocation) };
      const invocation: Invocation = new Invocation(event, exchange, { now: Date.now(), owner });
      open.add(invocation);
      if (streams) invocation.holdBody(Buffer.from('first'));
      instance.begin(invocation, undefined, streams);
      resolve();
      return invocation;
    };
    openLocalExchange(respond, '', undefined, { fin: !streams, events: { onData() {}, onEnd() {}, onReset() {} } });
  });
}

/** Answers some requests at once, some with a body that never ends, and resets others. */
function openAnswer(
  head: string,
  body: Uint8Array | undefined,
  options: Parameters<CellHost['openFetch']>[3],
): Exchange {
  return openLocalExchange(
    (exchange) => {
      if (head.length % 3 === 0) exchange.reset(1, 'refused');
      else if (head.length % 3 === 1) exchange.respond(200, 'OK\nhttp://a/\n0', 'body', true);
      else exchange.respond(head.includes('upgrade') ? 101 : 200, 'OK\nhttp://a/\n0', 'beginning', false);
      return { onData() {}, onEnd() {}, onReset() {} };
    },
    head,
    body,
    options,
  );
}

function guess(instance: Instance, random: Random, guesses: Guesses): [what: string, perform: () => void] {
  const parameters = [guesses.value(), guesses.value(), guesses.value(), guesses.value()] as const;
  if (random.chance(25)) {
    const op = random.pick(Object.values(HOST_SYNC));
    const isAsk = random.chance(80);
    const operation = guesses.operation();
    const given = isAsk ? [operation, guesses.parameters(operation), guesses.bytes()] : parameters;
    const ask = isAsk ? HOST_SYNC.ask : op;
    const answer = () => handleHostQuestion(instance.services, ask, given);
    return [`question ${ask} ${describeAll(given)}`, () => assertSyncAnswer(answer())];
  }
  const id = guesses.id() as number;
  if (random.chance(40)) {
    const operation = guesses.operation();
    const given = [random.below(40), operation, guesses.parameters(operation), guesses.bytes()] as const;
    return [`ask ${describeAll(given)}`, () => handleHostCall(instance, HOST.ask, id, given)];
  }
  const op = random.chance(98) ? random.pick(Object.values(HOST)) : (guesses.value() as number);
  const given = random.chance(80) ? (plausible(op, parameters, random) ?? parameters) : parameters;
  return [`host call ${describeAll([op, id, ...given])}`, () => handleHostCall(instance, op, id, given)];
}

type Parameters4 = Parameters<typeof handleHostCall>[3];

/** Arguments that get past the first check. */
function plausible(op: number, [, b, c, d]: Parameters4, random: Random): Parameters4 | undefined {
  switch (op) {
    case HOST.fetch:
      return [random.below(40), random.pick(TEXTS), c, random.pick([-1, 0, 0.5, CACHE_INDEX, 7])];
    case HOST.timer:
    case HOST.import:
      return [random.below(40), b, c, d];
    case HOST.respond:
      return [random.pick([101, 200, 204, 404, -1, NaN]), random.pick(TEXTS), c, random.pick([0, -1, 3, 4, 5, d])];
    case HOST.upgrade:
      return [random.pick(TEXTS), random.below(40), c, d];
    default:
      return undefined;
  }
}

function describeAll(values: readonly unknown[]): string {
  const texts = values.map((value) =>
    typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? 'undefined'),
  );
  return texts.map((text) => text.slice(0, 400)).join(' | ');
}

function sizesOf({ timers, calls, sockets, inStreams, outStreams }: Instance): Record<string, number> {
  return {
    timers: timers.size,
    calls: calls.size,
    sockets: sockets.size,
    inStreams: inStreams.size,
    outStreams: outStreams.size,
  };
}

function assertBounded(instance: Instance, what: string): void {
  assert.ok(instance.timers.size <= MAX_TIMERS, what);
  assert.ok(instance.calls.size <= MAX_PENDING_HOST_CALLS, what);
  assert.ok(instance.sockets.size <= MAX_WEB_SOCKETS, what);
  assert.ok(instance.outStreams.size <= MAX_PENDING_HOST_CALLS, what);
  assert.ok(instance.inStreams.size <= MAX_PENDING_HOST_CALLS, what);
  assert.ok(instance.pendingAsks <= MAX_PENDING_HOST_CALLS, what);
  assert.ok(instance.heldBytes >= 0 && instance.heldBytes <= instance.maxHeldBytes, `${what}: ${instance.heldBytes}`);
  const held = instance.services.heldBytes;
  assert.ok(held >= 0 && held <= instance.services.maxHeldBytes + 64 * 1024 * 1024, `${what}: services hold ${held}`);
  assert.ok(instance.queuedEntries <= 11 * MAX_PENDING_HOST_CALLS, what);
}

function assertSyncAnswer(answer: unknown): void {
  if (answer === undefined || answer instanceof ArrayBuffer) return;
  assert.equal(typeof answer, 'string');
  const text = answer as string;
  if (text.startsWith('!')) assertError(text.slice(1));
}

function assertAnswer(ok: unknown, text: unknown, bytes: unknown): void {
  assert.ok(bytes === undefined || bytes instanceof Uint8Array);
  assert.equal(typeof text, 'string');
  if (ok === 1) {
    if (text !== '') JSON.parse(text as string);
  } else assertError(text as string);
}

function assertError(text: string): void {
  const [name = '', ...message] = text.split('\n');
  assert.match(name, NAMES);
  assertMessage(message.join('\n'));
}

function assertMessage(message: string): void {
  assert.ok(message.length > 0 && message.length <= 1_200, `a message of ${message.length} characters`);
  assert.doesNotMatch(message, INTERNAL);
}
