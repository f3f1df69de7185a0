import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { Channel, ChannelHandlers } from './channel.ts';
import { FRAME, FRAME_LIMITS } from './codec.ts';
import type { Exchange } from './exchange.ts';
import { FrameReader } from './frame-reader.ts';
import { creditFrame, frameOf, messageFrame, requestFrame, responseFrame, SocketFactory } from './testing.ts';

const { windowBytes } = FRAME_LIMITS;

const sockets = new SocketFactory();
before(() => sockets.open());
after(() => sockets.close());

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const head = fc.string({ unit: 'binary-ascii', maxLength: 40 });
const stream = fc.integer({ min: 0, max: 12 });
const json = fc.json({ maxDepth: 2 });

/** Any frame that is well formed by itself; whether it is allowed at its place is another matter. */
const frame = fc.oneof(
  fc.tuple(stream, head, bytes(60), fc.boolean()).map((args) => requestFrame(...args)),
  fc.tuple(stream, fc.nat(999), head, bytes(60), fc.boolean()).map((args) => responseFrame(...args)),
  fc.tuple(stream, bytes(60)).map(([id, body]) => frameOf(FRAME.data, id, body)),
  stream.map((id) => frameOf(FRAME.end, id)),
  stream.map((id) => frameOf(FRAME.reset, id, Buffer.from([1, 0]))),
  fc.tuple(stream, fc.nat(70_000)).map((args) => creditFrame(...args)),
  fc
    .tuple(fc.constantFrom(FRAME.call, FRAME.result, FRAME.failure, FRAME.notify), stream, json, bytes(60))
    .map((args) => messageFrame(...args)),
);

const mutation = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at: fc.nat(), value: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat(), value: fc.nat(20) }),
  fc.record({ kind: fc.constant('insert' as const), at: fc.nat(), value: fc.nat(255) }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

function mutate(input: Buffer, { kind, at, value }: Mutation): Buffer {
  const place = input.length === 0 ? 0 : at % input.length;
  if (kind === 'insert') return Buffer.concat([input.subarray(0, place), Buffer.of(value), input.subarray(place)]);
  if (kind === 'cut') return Buffer.concat([input.subarray(0, place), input.subarray(place + value)]);
  const output = Buffer.from(input);
  output[place] = (output[place] ?? 0) ^ value;
  return output;
}

function split(input: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (input.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((place, i) => input.subarray(place, places[i] ?? input.length));
}

/** Takes everything, answers now and then, and takes part in every kind of frame. */
function busyHandlers(): ChannelHandlers {
  return {
    onRequest(exchange, text, body, fin) {
      if (text.length % 3 === 0) exchange.respond(200, text, body, text.length % 2 === 0);
      return {
        onData: (chunk) => exchange.grant(chunk.length),
        onEnd() {
          if (fin) throw new Error('onEnd after fin');
        },
        onReset() {},
      };
    },
    onCall: async (_method, params, payload) => ({ value: params, payload }),
    onNotify() {},
  };
}

describe('FrameReader', () => {
  it('push() finds the same frames however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.nat(), { maxLength: 30 }), (frames, cuts) => {
        const expected = frames.filter((bytes) => bytes.length > 9 || bytes[4] === FRAME.end);
        const found: Buffer[] = [];
        const reader = new FrameReader(
          {
            stopped: false,
            frame: (type, id, from, start, end) => found.push(frameOf(type, id, from.subarray(start, end))),
          },
          FRAME_LIMITS.frameBytes,
        );
        for (const chunk of split(Buffer.concat(expected), cuts)) reader.push(chunk);
        assert.deepEqual(found, expected);
        assert.equal(reader.partial, false);
      }),
      { numRuns: 200 },
    );
  });
});

describe('channel', () => {
  it('ends, and holds nothing, whatever bytes come', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(frame, { maxLength: 12 }),
        fc.array(mutation, { maxLength: 3 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        async (frames, mutations, cuts) => {
          let input = Buffer.concat(frames);
          for (const change of mutations) input = Buffer.from(mutate(input, change));
          const { raw, channel, closed } = await sockets.raw(busyHandlers());
          raw.resume();
          const pending = channel.call('pending', null).then(
            () => 'answered',
            () => 'rejected',
          );
          channel.request('own', Buffer.alloc(100), false, { onData() {}, onEnd() {}, onReset() {} });
          for (const chunk of split(input, cuts)) raw.write(chunk);
          raw.end();
          await closed; // a hang shows as a test that does not end
          assert.ok(['answered', 'rejected'].includes(await pending));
          assert.equal(channel.closed, true);
          assert.equal(channel.openExchanges, 0);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('interleaved exchanges arrive whole, and never more is under way than was granted', async () => {
    const size = fc.oneof(fc.nat(100), fc.nat(70_000), fc.nat(900_000));
    const plan = fc.record({ up: size, down: size, piece: fc.integer({ min: 500, max: 300_000 }), lazy: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 8 }), async (plans) => {
        const uploads = plans.map(() => Promise.withResolvers<number>());
        const { left, right, leftClosed, rightClosed } = await sockets.channels(
          {},
          {
            onRequest(exchange, text, body, fin) {
              const { down, piece, lazy } = plans[Number(text)] ?? assert.fail('head is damaged');
              const meter = new Meter(exchange, Number(text), lazy);
              meter.take(body);
              exchange.respond(200, '', undefined, false);
              send(exchange, Number(text) + 1, down, piece);
              if (fin) assert.equal(meter.received, 0);
              return {
                onData: (chunk) => meter.take(chunk),
                onEnd: () => uploads[Number(text)]?.resolve(meter.received),
                onReset: (_code, reason) => assert.fail(`server was reset: ${reason}`),
              };
            },
          },
        );
        await Promise.all(plans.map((one, i) => run(left, i, one)));
        const received = await Promise.all(uploads.map((upload) => upload.promise));
        assert.deepEqual(
          received,
          plans.map((one) => one.up),
        );
        assert.equal(left.openExchanges, 0);
        left.close();
        assert.deepEqual(await Promise.all([leftClosed, rightClosed]), [undefined, undefined]);
        assert.equal(right.openExchanges, 0);
      }),
      { numRuns: 50 },
    );
  });
});

interface Plan {
  readonly up: number;
  readonly down: number;
  readonly piece: number;
  readonly lazy: boolean;
}

function run(channel: Channel, index: number, { up, down, piece, lazy }: Plan): Promise<void> {
  return new Promise((resolve, reject) => {
    const finished = (): void => {
      if (meter.received === down) resolve();
      else reject(new Error(`exchange ${index}: ${meter.received} bytes of ${down}`));
    };
    const exchange = channel.request(String(index), undefined, false, {
      onResponse: (_status, _head, body) => meter.take(body),
      onData: (chunk) => meter.take(chunk),
      onEnd: finished,
      onReset: (_code, reason) => reject(new Error(reason)),
    });
    const meter = new Meter(exchange, index + 1, lazy);
    send(exchange, index, up, piece);
  });
}

/** Bytes that tell their place modulo 251, long enough to start anywhere. */
const PATTERN = Buffer.from(Array.from({ length: 251 + 1_000_000 }, (_, i) => i % 251));

/** Writes a body whose bytes tell their place, in pieces, whatever `write` says. */
function send(exchange: Exchange, seed: number, total: number, piece: number): void {
  for (let at = 0; at < total; at += piece) {
    const start = (seed + at) % 251;
    exchange.write(PATTERN.subarray(start, start + Math.min(piece, total - at)));
  }
  exchange.end();
}

/** Receives a body: checks every byte and the credit, grants at once or later and in a lump. */
class Meter {
  received = 0;
  #granted = 0;
  readonly #exchange: Exchange;
  readonly #seed: number;
  readonly #lazy: boolean;

  constructor(exchange: Exchange, seed: number, lazy: boolean) {
    this.#exchange = exchange;
    this.#seed = seed;
    this.#lazy = lazy;
  }

  take(chunk: Buffer): void {
    const start = (this.#seed + this.received) % 251;
    assert.ok(chunk.equals(PATTERN.subarray(start, start + chunk.length)), 'the body is damaged');
    this.received += chunk.length;
    assert.ok(this.received - this.#granted <= windowBytes, 'more came than was granted');
    if (!this.#lazy) this.#grant();
    else if (this.received - this.#granted > windowBytes / 2) setImmediate(() => this.#grant());
  }

  #grant(): void {
    this.#exchange.grant(this.received - this.#granted);
    this.#granted = this.received;
  }
}
