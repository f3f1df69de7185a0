/** Test set-up shared by the channel's suites: two sockets joined by a Unix socket in a directory of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Channel, type ChannelHandlers, openChannel } from './channel.ts';
import { FRAME, PREFIX_BYTES } from './codec.ts';

export interface SocketPair {
  readonly left: Socket;
  readonly right: Socket;
}

export interface ChannelPair {
  readonly left: Channel;
  readonly right: Channel;
  readonly leftClosed: Promise<Error | undefined>;
  readonly rightClosed: Promise<Error | undefined>;
}

/** Frames are written by hand to `raw`; `closed` tells how the channel took it. */
export interface RawPair {
  readonly raw: Socket;
  readonly channel: Channel;
  readonly closed: Promise<Error | undefined>;
}

/** Makes joined socket pairs; `close` takes down the server and every socket it made. */
export class SocketFactory {
  readonly #dir = mkdtempSync(join(tmpdir(), 'isola-channel-'));
  readonly #path = join(this.#dir, 's');
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.#path, resolve));
  }

  async pair(): Promise<SocketPair> {
    const accepted = new Promise<Socket>((resolve) => this.#server.once('connection', resolve));
    const left = connect(this.#path);
    const right = await accepted;
    for (const socket of [left, right]) {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    return { left, right };
  }

  async channels(leftHandlers: ChannelHandlers, rightHandlers: ChannelHandlers): Promise<ChannelPair> {
    const { left, right } = await this.pair();
    const a = watchClose(leftHandlers);
    const b = watchClose(rightHandlers);
    return {
      left: openChannel(left, { ids: 'odd' }, a.handlers),
      right: openChannel(right, { ids: 'even' }, b.handlers),
      leftClosed: a.closed,
      rightClosed: b.closed,
    };
  }

  /** The channel gives out odd numbers, so the raw side speaks with even ones. */
  async raw(handlers: ChannelHandlers): Promise<RawPair> {
    const { left, right } = await this.pair();
    const watched = watchClose(handlers);
    left.on('error', () => {});
    const channel = openChannel(right, { ids: 'odd' }, watched.handlers);
    return { raw: left, channel, closed: watched.closed };
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

export function frameOf(type: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32LE(5 + payload.length, 0);
  prefix[4] = type;
  prefix.writeUInt32LE(stream, 5);
  return Buffer.concat([prefix, payload]);
}

export function requestFrame(stream: number, head: string, body: Uint8Array, fin: boolean): Buffer {
  const fixed = Buffer.alloc(5);
  fixed[0] = fin ? 1 : 0;
  fixed.writeUInt32LE(head.length, 1);
  return frameOf(FRAME.request, stream, Buffer.concat([fixed, Buffer.from(head, 'latin1'), body]));
}

export function responseFrame(stream: number, status: number, head: string, body: Uint8Array, fin: boolean): Buffer {
  const fixed = Buffer.alloc(7);
  fixed[0] = fin ? 1 : 0;
  fixed.writeUInt32LE(head.length, 1);
  fixed.writeUInt16LE(status, 5);
  return frameOf(FRAME.response, stream, Buffer.concat([fixed, Buffer.from(head, 'latin1'), body]));
}

export function creditFrame(stream: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(bytes, 0);
  return frameOf(FRAME.credit, stream, payload);
}

export function messageFrame(
  type: number,
  stream: number,
  json: string,
  payload: Uint8Array = new Uint8Array(),
): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(json), 0);
  return frameOf(type, stream, Buffer.concat([length, Buffer.from(json), payload]));
}

function watchClose(handlers: ChannelHandlers): { handlers: ChannelHandlers; closed: Promise<Error | undefined> } {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  return {
    closed: promise,
    handlers: {
      ...handlers,
      onClose(error) {
        handlers.onClose?.(error);
        resolve(error);
      },
    },
  };
}
