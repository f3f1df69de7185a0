import { timingSafeEqual } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { openChannel } from '../channel/index.ts';
import type { CellSet } from './cells.ts';

const GREETING_BYTES = 512; // longest first line
const GREETING_MS = 5_000; // from connecting to the end of that line; the supervisor writes it at once
const MAX_FRAME_BYTES = 1024 * 1024; // heads and bodies are below it, and a cell has nothing else to say here

export interface LinkOptions {
  readonly socketPath: string;
  readonly linkToken: string;
  readonly cells: CellSet;
  /** A cell has become ready. */
  onReady(id: string): void;
  /** A link has ended, in order or not. */
  onLost(cellId: string, error: Error | undefined): void;
}

/**
 * Accepts the cells' links. The supervisor connects, writes `cell <id> <token>\n` and hands the socket to the cell, which
 * never learns the token; what follows the line are frames.
 */
export async function listenForCells(options: LinkOptions): Promise<Server> {
  rmSync(options.socketPath, { force: true });
  const server = createServer((socket) => greet(socket, options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Born private: between listen and chmod nobody else may connect.
    const umask = process.umask(0o177);
    server.listen(options.socketPath, resolve);
    process.umask(umask);
  });
  chmodSync(options.socketPath, 0o600);
  return server;
}

function greet(socket: Socket, options: LinkOptions): void {
  let line = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), GREETING_MS);
  const onError = (): void => {
    socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    line = Buffer.concat([line, chunk]);
    const newline = line.indexOf(0x0a);
    if (newline === -1 && line.length <= GREETING_BYTES) return;
    clearTimeout(timer);
    socket.off('data', onData);
    socket.off('error', onError);
    const id = newline === -1 ? undefined : parseGreeting(line.toString('latin1', 0, newline), options.linkToken);
    if (id === undefined) {
      socket.destroy();
      return;
    }
    const rest = line.subarray(newline + 1);
    link(socket, id, options);
    // The cell may have been quick: its first frames came with the line.
    if (rest.length > 0) socket.emit('data', rest);
  };
  socket.on('error', onError);
  socket.on('data', onData);
  socket.once('close', () => clearTimeout(timer));
}

function link(socket: Socket, id: string, options: LinkOptions): void {
  const channel = openChannel(
    socket,
    { ids: 'odd', maxFrameBytes: MAX_FRAME_BYTES },
    {
      onNotify(type) {
        if (type !== 'ready') return;
        options.cells.add(id, channel);
        options.onReady(id);
      },
      onClose(error) {
        options.cells.remove(id, channel);
        options.onLost(id, error);
      },
    },
  );
}

function parseGreeting(line: string, token: string): string | undefined {
  const match = /^cell ([\w-]{1,64}) (\S+)$/.exec(line);
  const [, id, given] = match ?? [];
  if (id === undefined || given === undefined) return undefined;
  const a = Buffer.from(given);
  const b = Buffer.from(token);
  return a.length === b.length && timingSafeEqual(a, b) ? id : undefined;
}
