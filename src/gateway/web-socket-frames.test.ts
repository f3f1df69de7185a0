import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { MESSAGE, MessageReader } from '../channel/index.ts';
import { MAX_WEB_SOCKET_FRAGMENTS, MAX_WEB_SOCKET_MESSAGE_BYTES } from '../limits.ts';
import { startGateway, type TestGateway, until } from './testing.ts';

const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: hello.acme.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const FIN = 0x80;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;

/** A masked frame (RFC 6455 §5.2), its mask all zeros. `announced` is the length that it claims. */
function frame(first: number, payload: Buffer | string = '', { isMasked = true, announced = -1n } = {}): Buffer {
  const body = Buffer.from(payload as string, 'latin1');
  const length = announced === -1n ? BigInt(body.length) : announced;
  const head = Buffer.alloc(length < 126n ? 2 : length < 65_536n ? 4 : 10);
  head[0] = first;
  head[1] = (isMasked ? 0x80 : 0) | (length < 126n ? Number(length) : length < 65_536n ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(Number(length), 2);
  else if (head.length === 10) head.writeBigUInt64BE(length, 2);
  return Buffer.concat([head, isMasked ? Buffer.alloc(4) : Buffer.alloc(0), body]);
}

const fragments = (count: number, payload: string): Buffer =>
  Buffer.concat([frame(TEXT, payload), ...Array.from({ length: count - 1 }, () => frame(0, payload))]);

const HOSTILE: readonly (readonly [what: string, code: number, frames: Buffer])[] = [
  ['a frame without a mask', 1002, frame(FIN | TEXT, 'hi', { isMasked: false })],
  ['a reserved bit', 1002, frame(FIN | 0x40 | TEXT, 'hi')],
  ['all reserved bits', 1002, frame(FIN | 0x70 | TEXT, 'hi')],
  ['a reserved kind of data', 1002, frame(FIN | 3, 'hi')],
  ['a reserved kind of control frame', 1002, frame(FIN | 11, 'hi')],
  ['a continuation of nothing', 1002, frame(FIN, 'hi')],
  ['a message inside another', 1002, Buffer.concat([frame(TEXT, 'a'), frame(FIN | TEXT, 'b')])],
  ['a ping in fragments', 1002, frame(PING, 'hi')],
  ['a ping of 126 bytes', 1002, frame(FIN | PING, 'a'.repeat(126))],
  ['a close of one byte', 1002, frame(FIN | CLOSE, 'a')],
  ['a close with a code that may not be sent', 1002, frame(FIN | CLOSE, '\x03\xed')],
  ['a close whose reason is no UTF-8', 1007, frame(FIN | CLOSE, '\x03\xe8\xff')],
  ['text that is no UTF-8', 1007, frame(FIN | TEXT, '\xc3\x28')],
  ['a surrogate in UTF-8', 1007, frame(FIN | TEXT, '\xed\xa0\x80')],
  ['a length beyond 53 bits', 1009, frame(FIN | BINARY, '', { announced: 1n << 60n })],
  ['a negative length', 1009, frame(FIN | BINARY, '', { announced: (1n << 63n) + 1n })],
  ['a frame past the limit', 1009, frame(FIN | BINARY, '', { announced: BigInt(MAX_WEB_SOCKET_MESSAGE_BYTES + 1) })],
  [
    'fragments past the limit together',
    1009,
    Buffer.concat([frame(BINARY, 'ab'), frame(FIN, '', { announced: BigInt(MAX_WEB_SOCKET_MESSAGE_BYTES - 1) })]),
  ],
  ['too many fragments', 1008, fragments(MAX_WEB_SOCKET_FRAGMENTS + 1, 'a')],
  ['HTTP', 1002, Buffer.from('GET /admin HTTP/1.1\r\nHost: hello.acme.localhost\r\n\r\n')],
];

describe('A gateway whose WebSocket clients send what is no frame', () => {
  let gateway: TestGateway;
  let messages: string[] = [];
  before(async () => {
    gateway = await startGateway();
    await gateway.link('a', {
      onRequest: (exchange) => {
        exchange.respond(101, '', undefined, false);
        let text = '';
        const reader = new MessageReader(
          {
            onPart: (kind, part, last) => {
              if (kind === MESSAGE.close) return;
              text += part.toString();
              if (last) messages.push(text);
              if (last) text = '';
            },
          },
          MAX_WEB_SOCKET_MESSAGE_BYTES,
        );
        return {
          onData: (chunk) => {
            reader.push(chunk);
            exchange.grant(chunk.length);
          },
          onEnd() {},
          onReset() {},
        };
      },
    });
  });
  after(() => gateway.stop());

  const open = async (): Promise<Socket> => {
    messages = [];
    const socket = connect(gateway.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(HANDSHAKE);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(String(answer), /^HTTP\/1\.1 101 /);
    return socket;
  };

  for (const [what, code, frames] of HOSTILE) {
    it(`closes with ${code} on ${what}, and tells the cell nothing of it`, async () => {
      const socket = await open();
      const said: Buffer[] = [];
      socket.on('data', (chunk: Buffer) => said.push(chunk));
      socket.write(frames);
      await once(socket, 'end');
      const [first, , ...payload] = Buffer.concat(said);
      assert.equal(first, FIN | CLOSE);
      assert.equal(Buffer.from(payload).readUInt16BE(0), code);
      socket.destroy();
      await until(async () => (await gateway.stats()).webSockets === 0);
      assert.deepEqual(messages, []);
    });
  }

  it('takes as many fragments as there may be, pings between them', async () => {
    const socket = await open();
    socket.write(fragments(MAX_WEB_SOCKET_FRAGMENTS - 1, 'a'));
    socket.write(frame(FIN | PING, 'still here'));
    socket.write(frame(FIN, 'b'));
    await until(async () => messages.length === 1);
    assert.equal(messages[0], `${'a'.repeat(MAX_WEB_SOCKET_FRAGMENTS - 1)}b`);
    socket.destroy();
  });
});
