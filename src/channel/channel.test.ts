import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Channel, ChannelHandlers } from './channel.ts';
import { FRAME, FRAME_LIMITS, RESET_CODES } from './codec.ts';
import type { Exchange, ExchangeEvents } from './exchange.ts';
import { creditFrame, frameOf, messageFrame, requestFrame, responseFrame, SocketFactory } from './testing.ts';

const { dataBytes, frameBytes, headBytes, openExchanges, windowBytes } = FRAME_LIMITS;
const EMPTY = Buffer.alloc(0);
const SILENT: ExchangeEvents = { onData() {}, onEnd() {}, onReset() {} };

const sockets = new SocketFactory();
before(() => sockets.open());
after(() => sockets.close());

/** Answers every request with its own body. */
const echo: ChannelHandlers = {
  onRequest(exchange, head, body, fin) {
    exchange.respond(200, head, body, fin);
    exchange.grant(body.length);
    return {
      onData(chunk) {
        exchange.write(chunk);
        exchange.grant(chunk.length);
      },
      onEnd: () => exchange.end(),
      onReset() {},
    };
  },
};

interface Answer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

function fetchAll(channel: Channel, head: string, body: Uint8Array | undefined): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let answerHead = '';
    const finish = (): void => resolve({ status, head: answerHead, body: Buffer.concat(chunks) });
    const exchange = channel.request(head, body, true, {
      onResponse(code, text, first, fin) {
        status = code;
        answerHead = text;
        chunks.push(first);
        exchange.grant(first.length);
        if (fin) finish();
      },
      onData(chunk) {
        chunks.push(chunk);
        exchange.grant(chunk.length);
      },
      onEnd: finish,
      onReset: (code, reason) => reject(new Error(`reset ${code} ${reason}`)),
    });
  });
}

describe('exchange', () => {
  it('request() carries head and body there and back', async () => {
    const { left } = await sockets.channels({}, echo);
    const answer = await fetchAll(left, 'GET\n/caf\u00e9', Buffer.from('hello'));
    assert.deepEqual(answer, { status: 200, head: 'GET\n/caf\u00e9', body: Buffer.from('hello') });
    assert.equal(left.openExchanges, 0);
  });

  it('respond() sends a text as UTF-8', async () => {
    const { left } = await sockets.channels(
      {},
      {
        onRequest(exchange, head) {
          exchange.respond(200, '', head === 'long' ? 'ä€😀'.repeat(20_000) : 'ä€😀', true);
          return SILENT;
        },
      },
    );
    assert.equal((await fetchAll(left, 'short', undefined)).body.toString(), 'ä€😀');
    assert.equal((await fetchAll(left, 'long', undefined)).body.toString(), 'ä€😀'.repeat(20_000));
  });

  it('write() moves a body of many windows, both directions, many at once', async () => {
    const { left, right } = await sockets.channels({}, echo);
    const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => i % 251));
    const answers = await Promise.all(Array.from({ length: 4 }, () => fetchAll(left, 'x', body)));
    for (const answer of answers) assert.ok(answer.body.equals(body));
    assert.equal(left.openExchanges + right.openExchanges, 0);
  });

  it('write() stops at the window until the other side grants', async () => {
    const seen = Promise.withResolvers<Exchange>();
    let received = 0;
    const { left, right } = await sockets.channels(
      {},
      {
        onRequest: (exchange) => ({
          onData(chunk) {
            received += chunk.length;
            if (received === windowBytes) seen.resolve(exchange);
          },
          onEnd() {},
          onReset() {},
        }),
      },
    );
    const drained = Promise.withResolvers<void>();
    const exchange = left.request('', undefined, false, { ...SILENT, onDrain: drained.resolve });
    assert.equal(exchange.write(Buffer.alloc(windowBytes)), true);
    assert.equal(exchange.credit, 0);
    assert.equal(exchange.write(Buffer.alloc(10)), false);
    const receiver = await seen.promise;
    await right.call('x', null).catch(() => {}); // a round trip: nothing more has come
    assert.equal(received, windowBytes);
    receiver.grant(windowBytes);
    await drained.promise;
    assert.equal(exchange.credit, windowBytes - 10);
  });

  it('grant() tells the peer only once a quarter of the window has been consumed', async () => {
    const { raw, channel } = await sockets.raw({
      onRequest(exchange) {
        exchange.respond(200, '', undefined, false);
        return { ...SILENT, onData: (chunk) => exchange.grant(chunk.length) };
      },
    });
    raw.write(requestFrame(2, '', EMPTY, false));
    for (let i = 0; i < 4; i++) raw.write(frameOf(FRAME.data, 2, Buffer.alloc(windowBytes / 16)));
    let said = Buffer.alloc(0);
    const expected = responseFrame(2, 200, '', EMPTY, false).length + creditFrame(2, 0).length;
    for await (const chunk of raw) {
      assert.ok(Buffer.isBuffer(chunk));
      said = Buffer.concat([said, chunk]);
      if (said.length >= expected) break;
    }
    assert.deepEqual(said.subarray(-13), creditFrame(2, windowBytes / 4));
    assert.equal(channel.closed, false);
  });

  it('reset() reaches the other side with code and reason, and frees both', async () => {
    const got = Promise.withResolvers<[number, string]>();
    const { left, right } = await sockets.channels(
      {},
      { onRequest: () => ({ ...SILENT, onReset: (...reset) => got.resolve(reset) }) },
    );
    const exchange = left.request('', undefined, false, SILENT);
    exchange.reset(RESET_CODES.canceled, 'client left');
    exchange.reset(RESET_CODES.internal);
    exchange.write('dropped');
    exchange.end();
    assert.deepEqual(await got.promise, [RESET_CODES.canceled, 'client left']);
    assert.equal(left.openExchanges + right.openExchanges, 0);
  });

  it('a response before the end of the request leaves the exchange open until the body ends', async () => {
    const { left, right } = await sockets.channels(
      {},
      {
        onRequest(exchange) {
          exchange.respond(200, '', 'early', true);
          return SILENT;
        },
      },
    );
    const answered = Promise.withResolvers<void>();
    const exchange = left.request('', undefined, false, { ...SILENT, onResponse: () => answered.resolve() });
    await answered.promise;
    assert.equal(left.openExchanges, 1);
    exchange.end();
    assert.equal(left.openExchanges, 0);
    await left.call('x', null).catch(() => {});
    assert.equal(right.openExchanges, 0);
  });

  it('request() throws on a head above the limit, and the channel goes on', async () => {
    const { left } = await sockets.channels({}, echo);
    assert.equal((await fetchAll(left, 'h'.repeat(headBytes), undefined)).head.length, headBytes);
    assert.throws(() => left.request('h'.repeat(headBytes + 1), undefined, true, SILENT), RangeError);
    assert.equal(left.openExchanges, 0);
    assert.equal((await fetchAll(left, 'ok', undefined)).head, 'ok');
  });

  it('request() beyond the limit of open exchanges is refused, the others live', async () => {
    const { left } = await sockets.channels({}, { onRequest: () => SILENT });
    const open = Array.from({ length: openExchanges }, () => left.request('', undefined, true, SILENT));
    const refused = Promise.withResolvers<number>();
    left.request('', undefined, true, { ...SILENT, onReset: refused.resolve });
    assert.equal(await refused.promise, RESET_CODES.refused);
    assert.equal(left.openExchanges, openExchanges);
    for (const exchange of open) exchange.reset(RESET_CODES.none);
    assert.equal(left.openExchanges, 0);
  });

  it('without onRequest every exchange is refused', async () => {
    const { left } = await sockets.channels({}, {});
    await assert.rejects(fetchAll(left, '', undefined), /reset 2/);
  });
});

describe('call', () => {
  it('carries params, value and payload', async () => {
    const { left, right } = await sockets.channels(
      { onCall: async (method) => ({ value: method }) },
      { onCall: async (method, params, payload) => ({ value: { method, params }, payload: payload.subarray(1) }) },
    );
    const result = await left.call('m', { a: ['ä'] }, Buffer.from('xyz'));
    assert.deepEqual(result, { value: { method: 'm', params: { a: ['ä'] } }, payload: Buffer.from('yz') });
    assert.equal((await right.call('back', undefined)).value, 'back');
  });

  it('rejects with the message and code of what was thrown', async () => {
    const { left } = await sockets.channels(
      {},
      {
        onCall(method) {
          if (method === 'sync') throw new TypeError('at once');
          return Promise.reject(Object.assign(new Error('no such key'), { code: 'E_KEY', secret: 1 }));
        },
      },
    );
    await assert.rejects(left.call('get', 1), { message: 'no such key', code: 'E_KEY' });
    await assert.rejects(left.call('sync', 1), { message: 'at once' });
  });

  it('rejects what does not fit a frame, on either side, and goes on', async () => {
    const { left } = await sockets.channels(
      {},
      { onCall: async (method) => (method === 'big' ? { payload: Buffer.alloc(frameBytes) } : undefined) },
    );
    await assert.rejects(left.call('x', null, Buffer.alloc(frameBytes)), /limit is/);
    await assert.rejects(left.call('big', null), /limit is/);
    assert.deepEqual(await left.call('small', null), { value: undefined, payload: EMPTY });
  });

  it('notify() arrives in order', async () => {
    const all = Promise.withResolvers<unknown[]>();
    const seen: unknown[] = [];
    const { left } = await sockets.channels(
      {},
      {
        onNotify(type, params, payload) {
          seen.push([type, params, payload.toString()]);
          if (seen.length === 2) all.resolve(seen);
        },
      },
    );
    left.notify('log', { n: 1 });
    left.notify('log', null, Buffer.from('two'));
    assert.deepEqual(await all.promise, [
      ['log', { n: 1 }, ''],
      ['log', null, 'two'],
    ]);
  });
});

describe('the end of a channel', () => {
  it('close() writes what has been said, and both sides learn of it', async () => {
    const { left, leftClosed, rightClosed } = await sockets.channels({}, {});
    left.notify('bye', null, Buffer.alloc(5_000_000));
    left.close();
    assert.equal(left.closed, true);
    assert.deepEqual(await Promise.all([leftClosed, rightClosed]), [undefined, undefined]);
  });

  it('destroy() resets exchanges and rejects calls on both sides before onClose', async () => {
    const order: string[] = [];
    const opened = Promise.withResolvers<void>();
    const { left, right, leftClosed, rightClosed } = await sockets.channels(
      { onClose: () => order.push('left closed') },
      {
        onRequest() {
          opened.resolve();
          return { ...SILENT, onReset: (code) => order.push(`right reset ${code}`) };
        },
        onClose: () => order.push('right closed'),
      },
    );
    left.request('', undefined, false, { ...SILENT, onReset: (code) => order.push(`left reset ${code}`) });
    const call = assert.rejects(left.call('never', null), /boom/);
    await opened.promise;
    left.destroy(new Error('boom'));
    assert.equal((await leftClosed)?.message, 'boom');
    await call;
    await rightClosed;
    assert.deepEqual(
      order.filter((entry) => entry.startsWith('left')),
      ['left reset 4', 'left closed'],
    );
    assert.deepEqual(
      order.filter((entry) => entry.startsWith('right')),
      ['right reset 4', 'right closed'],
    );
    assert.equal(left.openExchanges + right.openExchanges, 0);
  });

  it('a request on a closed channel is reset, a call rejected, a notification dropped', async () => {
    const { left } = await sockets.channels({}, {});
    left.destroy();
    const reset = Promise.withResolvers<number>();
    left.request('', undefined, true, { ...SILENT, onReset: reset.resolve });
    assert.equal(await reset.promise, RESET_CODES.channelClosed);
    await assert.rejects(left.call('x', null), /closed/);
    left.notify('x', null);
  });

  it('a handler that throws ends the channel with its error', async () => {
    const { left, rightClosed } = await sockets.channels(
      {},
      {
        onRequest() {
          throw new Error('our bug');
        },
      },
    );
    await assert.rejects(fetchAll(left, '', undefined), /reset 4/);
    assert.equal((await rightClosed)?.message, 'our bug');
  });
});

describe('a peer that breaks the protocol', () => {
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value, 0);
    return bytes;
  };
  const request = requestFrame(2, 'head', EMPTY, false);
  const nested = '['.repeat(200_000);
  const cases: [string, Buffer[], RegExp][] = [
    ['an unknown type', [frameOf(11, 2)], /unknown frame type 11/],
    ['type 0', [frameOf(0, 2)], /unknown frame type 0/],
    ['a zero length', [Buffer.alloc(9)], /unknown frame type 0|bytes, allowed/],
    ['a length below the prefix', [Buffer.concat([u32(4), Buffer.from([FRAME.end]), u32(2)])], /-1 bytes/],
    ['a huge length', [Buffer.concat([u32(0xffffffff), Buffer.from([FRAME.call]), u32(1)])], /bytes, allowed/],
    ['an oversized data frame', [request, frameOf(FRAME.data, 2, Buffer.alloc(dataBytes + 1))], /bytes, allowed/],
    ['an empty data frame', [request, frameOf(FRAME.data, 2)], /bytes, allowed/],
    ['an end with a payload', [request, frameOf(FRAME.end, 2, Buffer.alloc(1))], /bytes, allowed/],
    ['a stream above 31 bits', [frameOf(FRAME.end, 0x80000000)], /stream 2147483648/],
    [
      'data beyond its credit',
      [request, ...Array.from({ length: 5 }, () => frameOf(FRAME.data, 2, Buffer.alloc(dataBytes)))],
      /exceeds its credit/,
    ],
    ['data on an exchange that never was', [frameOf(FRAME.data, 2, Buffer.alloc(1))], /2 was never opened/],
    ['data on an exchange that we never opened', [frameOf(FRAME.data, 1, Buffer.alloc(1))], /1 was never opened/],
    ['stream 0', [frameOf(FRAME.end, 0)], /0 was never opened/],
    [
      'data after the end',
      [request, frameOf(FRAME.end, 2), frameOf(FRAME.data, 2, Buffer.alloc(1))],
      /unexpected data/,
    ],
    ['two ends', [request, frameOf(FRAME.end, 2), frameOf(FRAME.end, 2)], /unexpected end/],
    ['an odd number', [requestFrame(1, '', EMPTY, true)], /wrong parity/],
    ['a number used twice', [request, request], /used before/],
    ['a number below the last', [requestFrame(6, '', EMPTY, false), requestFrame(4, '', EMPTY, false)], /used before/],
    ['a response to its own request', [request, responseFrame(2, 200, '', EMPTY, true)], /unexpected response/],
    ['a fin byte that is none', [frameOf(FRAME.request, 2, Buffer.from([2, 0, 0, 0, 0]))], /fin byte is 2/],
    ['a head longer than its frame', [frameOf(FRAME.request, 2, Buffer.from([1, 1, 0, 0, 0]))], /does not fit/],
    ['a head above the limit', [requestFrame(2, 'x'.repeat(headBytes + 1), EMPTY, true)], /does not fit/],
    ['an empty credit', [request, creditFrame(2, 0)], /credit of 0/],
    ['credit for what was never sent', [request, creditFrame(2, 1)], /credit of 1/],
    ['malformed JSON', [messageFrame(FRAME.call, 1, '{')], /malformed JSON/],
    ['JSON that is too deep', [messageFrame(FRAME.call, 1, nested)], /malformed JSON/],
    ['a call without a name', [messageFrame(FRAME.call, 1, '[1]')], /no name/],
    ['a call with no JSON', [messageFrame(FRAME.call, 1, '')], /no name/],
    ['a notification without a name', [messageFrame(FRAME.notify, 0, '{}')], /no name/],
    ['JSON longer than its frame', [frameOf(FRAME.call, 1, u32(1))], /does not fit/],
    ['a result nobody waits for', [messageFrame(FRAME.result, 1, '1')], /not pending/],
    ['a failure nobody waits for', [messageFrame(FRAME.failure, 1, '["x"]')], /not pending/],
    [
      'a call number used twice',
      [messageFrame(FRAME.call, 1, '["a"]'), messageFrame(FRAME.call, 1, '["a"]')],
      /made before/,
    ],
  ];

  for (const [what, frames, message] of cases) {
    it(`${what} ends the channel with an error that says so`, async () => {
      const { raw, channel, closed } = await sockets.raw({ onRequest: () => SILENT, onCall: async () => undefined });
      raw.write(Buffer.concat(frames));
      assert.match((await closed)?.message ?? 'no error', message);
      assert.equal(channel.closed, true);
      assert.equal(channel.openExchanges, 0);
    });
  }

  it('a failure without a message rejects the call that waits for it', async () => {
    const { raw, channel, closed } = await sockets.raw({});
    raw.write(messageFrame(FRAME.failure, 1, '{}'));
    await assert.rejects(channel.call('x', null), /failure has no message/);
    assert.match((await closed)?.message ?? '', /failure has no message/);
  });

  it('too many open exchanges end the channel', async () => {
    const { raw, closed } = await sockets.raw({ onRequest: () => SILENT });
    const frames: Buffer[] = [];
    for (let i = 1; i <= openExchanges + 1; i++) frames.push(requestFrame(i * 2, '', EMPTY, true));
    raw.write(Buffer.concat(frames));
    assert.match((await closed)?.message ?? '', /more than 32768 exchanges/);
  });

  it('too many calls without an answer end the channel', async () => {
    const { raw, closed } = await sockets.raw({ onCall: () => new Promise(() => {}) });
    const frames: Buffer[] = [];
    for (let i = 1; i <= FRAME_LIMITS.pendingCalls + 1; i++) frames.push(messageFrame(FRAME.call, i, '["x"]'));
    raw.write(Buffer.concat(frames));
    assert.match((await closed)?.message ?? '', /more than 16384 calls/);
  });

  it('an end in the middle of a frame is an error, at a border it is not', async () => {
    const cut = await sockets.raw({ onRequest: () => SILENT });
    cut.raw.end(request.subarray(0, -1));
    assert.match((await cut.closed)?.message ?? '', /truncated/);
    const whole = await sockets.raw({ onRequest: () => SILENT });
    whole.raw.end(request);
    assert.equal(await whole.closed, undefined);
  });

  it('late frames for exchanges that have ended are dropped, and nothing is kept', async () => {
    const { raw, channel } = await sockets.raw({
      onRequest(exchange) {
        exchange.reset(RESET_CODES.refused);
        return SILENT;
      },
    });
    raw.resume();
    for (const type of [FRAME.data, FRAME.end, FRAME.reset, FRAME.credit]) {
      raw.write(requestFrame(type * 10, '', EMPTY, false));
      raw.write(frameOf(FRAME.data, type * 10, Buffer.alloc(10)));
      raw.write(creditFrame(type * 10, 999_999_999));
      raw.write(frameOf(FRAME.reset, type * 10, Buffer.from([1, 0])));
      raw.write(frameOf(FRAME.end, type * 10));
    }
    raw.write(messageFrame(FRAME.result, 1, '"alive"'));
    assert.equal((await channel.call('x', null)).value, 'alive');
    assert.equal(channel.openExchanges, 0);
  });
});
