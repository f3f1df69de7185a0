import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { answering, startGateway, type TestGateway, testPair, until } from './testing.ts';

const HOST = 'hello.acme.localhost';
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const TYPES = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  push: 5,
  ping: 6,
  goaway: 7,
  window: 8,
} as const;
const CONTINUATION = 9;
const END_STREAM = 1;
const END_HEADERS = 4;

function frame(type: number, flags: number, stream: number, payload: Buffer | string | readonly number[] = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

type Fields = readonly (readonly [name: string, value: string])[];

/** HPACK without its tables (RFC 7541 §6.2.2): each field as it is. */
function block(fields: Fields): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

function literal(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

const METHOD = [':method', 'GET'] as const;
const SCHEME = [':scheme', 'https'] as const;
const PATH = [':path', '/bad'] as const;
const AUTHORITY = [':authority', HOST] as const;
const USUAL = [METHOD, SCHEME, PATH, AUTHORITY];
const POST = [[':method', 'POST'], SCHEME, PATH, AUTHORITY] as const;

const head = (fields: Fields, flags = END_HEADERS | END_STREAM, stream = 1): Buffer =>
  frame(TYPES.headers, flags, stream, block(fields));
const withField = (name: string, value: string): Buffer => head([...USUAL, [name, value]]);
const upload = (fields: Fields, ...parts: string[]): Buffer =>
  Buffer.concat([
    head([...POST, ...fields], END_HEADERS),
    ...parts.map((part, at) => frame(TYPES.data, at === parts.length - 1 ? END_STREAM : 0, 1, part)),
  ]);

/** What ends a request only: the stream is reset, others on the connection go on (RFC 9113 §8.1.1). */
const STREAMS: readonly (readonly [what: string, bytes: Buffer])[] = [
  // Fields of a connection, which HTTP/2 does not have (§8.2.2).
  ['transfer-encoding', withField('transfer-encoding', 'chunked')],
  ['connection', withField('connection', 'close')],
  ['keep-alive', withField('keep-alive', 'timeout=5')],
  ['proxy-connection', withField('proxy-connection', 'keep-alive')],
  ['upgrade', withField('upgrade', 'websocket')],
  ['te other than trailers', withField('te', 'gzip')],
  ['a name in upper case', withField('X-Upper', 'a')],
  // Pseudo-header fields (§8.3).
  ['no method', head([SCHEME, PATH, AUTHORITY])],
  ['no path', head([METHOD, SCHEME, AUTHORITY])],
  ['no scheme', head([METHOD, PATH, AUTHORITY])],
  ['no authority and no host', head([METHOD, SCHEME, PATH])],
  ['an empty path', head([METHOD, SCHEME, [':path', ''], AUTHORITY])],
  ['two methods', head([METHOD, ...USUAL])],
  ['two paths', head([PATH, ...USUAL])],
  ['two authorities', head([...USUAL, AUTHORITY])],
  ['two schemes', head([SCHEME, ...USUAL])],
  ['a path behind a field', head([METHOD, SCHEME, AUTHORITY, ['x', 'a'], PATH])],
  ['a field that nobody knows', head([...USUAL, [':evil', 'a']])],
  ['a status', head([...USUAL, [':status', '200']])],
  ['plain http as its scheme', head([METHOD, [':scheme', 'http'], PATH, AUTHORITY])],
  ['a method with a space', head([[':method', 'GET /admin'], SCHEME, PATH, AUTHORITY])],
  ['a path with a line break', head([METHOD, SCHEME, [':path', '/bad\r\nevil: a'], AUTHORITY])],
  ['a path with a space', head([METHOD, SCHEME, [':path', '/bad HTTP/1.1'], AUTHORITY])],
  ['a path without a slash', head([METHOD, SCHEME, [':path', 'bad'], AUTHORITY])],
  ['a host that is another', withField('host', 'other.acme.localhost')],
  ['two hosts', head([METHOD, SCHEME, PATH, ['host', HOST], ['host', HOST]])],
  ['a user in the authority', head([METHOD, SCHEME, PATH, [':authority', `other@${HOST}`]])],
  ['a path in the authority', head([METHOD, SCHEME, PATH, [':authority', `${HOST}/x`]])],
  ['a list of authorities', head([METHOD, SCHEME, PATH, [':authority', `${HOST}, ${HOST}`]])],
  ['CONNECT', head([[':method', 'CONNECT'], AUTHORITY])],
  // Lengths that are not those of the body (§8.1.1).
  ['a length beyond the body', upload([['content-length', '5']], 'abc')],
  ['a length and no body', head([...POST, ['content-length', '5']])],
  [
    'two lengths',
    upload(
      [
        ['content-length', '3'],
        ['content-length', '4'],
      ],
      'abc',
    ),
  ],
  ['a length with a plus', upload([['content-length', '+3']], 'abc')],
  ['a list of lengths', upload([['content-length', '3, 3']], 'abc')],
  [
    'a pseudo-header field as a trailer',
    Buffer.concat([upload([], 'abc').subarray(0, -12), frame(TYPES.data, 0, 1, 'abc'), head([[':path', '/x']])]),
  ],
];

/** Fields that would be something else in HTTP/1.1 (§8.2.1): nghttp2 takes them away, and the request goes on without. */
const DROPPED: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['a name with a space', withField('x y', 'a')],
  ['a name with a colon', withField('x:y', 'a')],
  ['a name with a line break', withField('x\r\ny', 'a')],
  ['a name with a NUL', withField('x\0', 'a')],
  ['no name', withField('', 'a')],
  ['a value with a line break', withField('x', 'a\r\nevil: b')],
  ['a value with a line feed', withField('x', 'a\nevil: b')],
  ['a value with a NUL', withField('x', 'a\0b')],
  ['a request in a value', withField('x', 'a\r\n\r\nGET /admin HTTP/1.1\r\nhost: x')],
];

/** What gets an answer that is not the Worker's. */
const PAGES: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['a port beyond 65535', head([METHOD, SCHEME, PATH, [':authority', `${HOST}:65536`]])],
  ['an asterisk', head([[':method', 'OPTIONS'], SCHEME, [':path', '*'], AUTHORITY])],
  ['a fragment', head([METHOD, SCHEME, [':path', '/bad#x'], AUTHORITY])],
  ['TRACE', head([[':method', 'TRACE'], SCHEME, PATH, AUTHORITY])],
];

/** What ends the connection (§5.4.1). */
const CONNECTIONS: readonly (readonly [what: string, bytes: Buffer])[] = [
  ['data on no stream', frame(TYPES.data, 0, 0, 'abc')],
  ['data on a stream that is not open', frame(TYPES.data, 0, 1, 'abc')],
  ['a head on no stream', head(USUAL, END_HEADERS | END_STREAM, 0)],
  ['a head on a stream of the server', head(USUAL, END_HEADERS | END_STREAM, 2)],
  ['a continuation of nothing', frame(CONTINUATION, END_HEADERS, 1, block(USUAL))],
  [
    'something between the parts of a head',
    Buffer.concat([head(USUAL, END_STREAM), frame(TYPES.ping, 0, 0, '12345678')]),
  ],
  ['a head that goes on without end', Buffer.concat([head(USUAL, END_STREAM), continuations(1_000, 10)])],
  ['a head of a megabyte in parts', Buffer.concat([head(USUAL, END_STREAM), continuations(64, 16_000)])],
  [
    'a promise of a client',
    frame(TYPES.push, END_HEADERS, 1, Buffer.concat([Buffer.from([0, 0, 0, 2]), block(USUAL)])),
  ],
  ['settings of 5 bytes', frame(TYPES.settings, 0, 0, '12345')],
  ['settings of a stream', frame(TYPES.settings, 0, 1)],
  ['a window beyond its limit', frame(TYPES.window, 0, 0, [0x7f, 0xff, 0xff, 0xff])],
  ['a ping of 7 bytes', frame(TYPES.ping, 0, 0, '1234567')],
  ['a frame beyond 16 KiB', frame(TYPES.headers, END_HEADERS | END_STREAM, 1, Buffer.alloc(17_000))],
  ['a head that is no HPACK', frame(TYPES.headers, END_HEADERS | END_STREAM, 1, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
  ['an index that stands for nothing', frame(TYPES.headers, END_HEADERS | END_STREAM, 1, [0xfe])],
  ['a length short of the body', upload([['content-length', '2']], 'abc')],
  ['a length of 0 and a body', upload([['content-length', '0']], 'GET /admin HTTP/1.1\r\n\r\n')],
  ['HTTP/1.1', Buffer.from(`GET /bad HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`)],
];

function continuations(count: number, bytes: number): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, at) => frame(CONTINUATION, 0, 1, block([[`x-${at}`, 'a'.repeat(bytes)]]))),
  );
}

/** A connection of bare frames: what has come back, by type and stream. */
class RawClient {
  readonly frames: { type: number; stream: number }[] = [];
  readonly socket: TLSSocket;
  isClosed = false;
  #rest: Buffer = Buffer.alloc(0);

  constructor(port: number) {
    const options = { host: '127.0.0.1', port, servername: HOST, rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    this.socket = connectTls(options);
    this.socket.on('error', () => {});
    this.socket.on('close', () => (this.isClosed = true));
    this.socket.on('data', (chunk: Buffer) => {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      while (this.#rest.length >= 9 && this.#rest.length >= 9 + this.#rest.readUIntBE(0, 3)) {
        this.frames.push({ type: this.#rest[3] ?? 0, stream: this.#rest.readUInt32BE(5) });
        this.#rest = this.#rest.subarray(9 + this.#rest.readUIntBE(0, 3));
      }
    });
    this.socket.write(Buffer.concat([PREFACE, frame(TYPES.settings, 0, 0)]));
  }

  has(type: number, stream: number): boolean {
    return this.frames.some((one) => one.type === type && one.stream === stream);
  }
}

describe('A gateway that is sent what is no HTTP/2', () => {
  let gateway: TestGateway;
  let client: RawClient;
  const seen: string[] = [];
  let heads = '';
  const good = head([METHOD, SCHEME, [':path', '/good'], AUTHORITY], END_HEADERS | END_STREAM, 7);

  before(async () => {
    gateway = await startGateway({ start: { tls: { port: 0, pairs: [testPair('base')] } } });
    await gateway.link(
      'a',
      answering((exchange, lines) => {
        const [, , , , url = ''] = lines;
        heads += `${lines.slice(5).join('\n')}\n`;
        seen.push(new URL(url).pathname);
        exchange.respond(200, '', 'reached', true);
      }),
    );
  });
  after(() => gateway.stop());
  afterEach(() => {
    client.socket.destroy();
    seen.length = 0;
    heads = '';
  });
  const sendFrames = (bytes: Buffer): void => {
    client = new RawClient(gateway.tlsPort ?? 0);
    // In one piece, so that it arrives as one.
    client.socket.once('secureConnect', () => client.socket.write(Buffer.concat([bytes, good])));
  };

  for (const [what, bytes] of STREAMS) {
    it(`resets a stream with ${what}, tells no cell, and serves the next one`, async () => {
      sendFrames(bytes);
      await until(async () => client.isClosed || client.has(TYPES.headers, 7));
      assert.ok(client.has(TYPES.reset, 1), JSON.stringify(client.frames));
      assert.ok(!client.has(TYPES.headers, 1));
      assert.deepEqual(seen, ['/good']);
    });
  }

  for (const [what, bytes] of DROPPED) {
    it(`takes ${what} away`, async () => {
      sendFrames(bytes);
      await until(async () => client.isClosed || client.has(TYPES.headers, 7));
      assert.ok(client.has(TYPES.headers, 1), JSON.stringify(client.frames));
      const names = heads
        .trimEnd()
        .split('\n')
        .filter((_, at) => at % 2 === 0);
      const known = ['host', 'cf-connecting-ip', 'x-real-ip', 'x-isola-ray'];
      assert.deepEqual(new Set(names), new Set(known), heads);
      assert.doesNotMatch(heads, /evil|admin/);
    });
  }

  for (const [what, bytes] of PAGES) {
    it(`answers ${what} itself, and serves the next one`, async () => {
      sendFrames(bytes);
      await until(async () => client.isClosed || client.has(TYPES.headers, 7));
      assert.ok(client.has(TYPES.headers, 1), JSON.stringify(client.frames));
      assert.deepEqual(seen, ['/good']);
    });
  }

  for (const [what, bytes] of CONNECTIONS) {
    it(`ends a connection with ${what}, and tells no cell`, async () => {
      sendFrames(bytes);
      await until(async () => client.isClosed);
      assert.deepEqual(seen, []);
    });
  }

  it('ends a connection that floods it with pings, or with settings', async () => {
    for (const flood of [frame(TYPES.ping, 0, 0, '12345678'), frame(TYPES.settings, 0, 0, [0, 3, 0, 0, 0, 100])]) {
      client = new RawClient(gateway.tlsPort ?? 0);
      const { socket } = client;
      socket.pause(); // and takes no answer
      const many = Buffer.concat(Array.from({ length: 5_000 }, () => flood));
      while (!client.isClosed) {
        const goesOn = socket.write(many);
        // oxlint-disable-next-line no-await-in-loop -- as fast as it is taken
        await new Promise((resolve) =>
          goesOn ? setImmediate(resolve) : socket.once('drain', resolve).once('close', resolve),
        );
      }
      socket.destroy();
    }
    assert.deepEqual(seen, []);
  });
});

describe('A gateway with HTTP/2 clients that take their time', () => {
  let gateway: TestGateway;
  let begun = 0;
  let reset = '';
  before(async () => {
    gateway = await startGateway({
      start: {
        tls: { port: 0, pairs: [testPair('base')] },
        patience: { headersMs: 300, requestMs: 60_000, checkMs: 50, uploadWindowMs: 200 },
      },
    });
    await gateway.link('a', {
      onRequest: () => {
        begun++;
        return { onData() {}, onEnd() {}, onReset: (_code, reason) => void (reset = reason) };
      },
    });
  });
  after(() => gateway.stop());

  /** One byte after another, until the connection is over or `isDone` says so. */
  const trickle = async (
    first: Buffer,
    bytes: () => Buffer,
    isDone: (client: RawClient) => boolean,
  ): Promise<RawClient> => {
    const client = new RawClient(gateway.tlsPort ?? 0);
    client.socket.write(first);
    const timer = setInterval(() => client.socket.write(bytes()), 20);
    await until(async () => client.isClosed || isDone(client));
    clearInterval(timer);
    client.socket.destroy();
    return client;
  };

  it('closes on one that sends a head a byte at a time', async () => {
    const long = head([...USUAL, ['x', 'a'.repeat(10_000)]]);
    let at = 0;
    const { isClosed } = await trickle(
      Buffer.alloc(0),
      () => long.subarray(at, ++at),
      () => false,
    );
    assert.ok(isClosed);
    assert.equal(begun, 0);
  });

  it('closes on one that only sends pings', async () => {
    const { isClosed } = await trickle(
      Buffer.alloc(0),
      () => frame(TYPES.ping, 0, 0, '12345678'),
      () => false,
    );
    assert.ok(isClosed);
  });

  it('answers one that sends a body a byte at a time, and tells the cell', async () => {
    const client = await trickle(
      head(POST, END_HEADERS),
      () => frame(TYPES.data, 0, 1, 'a'),
      (one) => one.has(TYPES.headers, 1) || one.has(TYPES.reset, 1),
    );
    assert.ok(client.has(TYPES.headers, 1), JSON.stringify(client.frames));
    await until(async () => reset !== '');
    assert.match(reset, /too slowly/);
    assert.equal(begun, 1);
  });
});
