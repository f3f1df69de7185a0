/** One end of a connection, as Workers have it. */
export interface ServerSocket extends WebSocket {
  accept(): void;
}

interface Member {
  readonly name: string;
  readonly socket: ServerSocket;
}

/** Who is connected to this instance. */
export class Room {
  readonly #members = new Set<Member>();

  join(name: string, socket: ServerSocket): void {
    const member = { name, socket };
    socket.accept();
    socket.addEventListener('message', ({ data }: MessageEvent) => {
      if (typeof data === 'string') this.#tell({ from: name, text: data });
      else socket.close(1003, 'text only');
    });
    socket.addEventListener('close', () => {
      this.#members.delete(member);
      this.#tell({ left: name });
    });
    this.#tell({ joined: name });
    this.#members.add(member);
    socket.send(JSON.stringify({ here: Array.from(this.#members, (other) => other.name) }));
  }

  #tell(message: object): void {
    const text = JSON.stringify(message);
    for (const { socket } of this.#members) {
      // One whose close is under way takes nothing more.
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    }
  }
}
