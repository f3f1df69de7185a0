import { PAGE } from './page.ts';
import { Room, type ServerSocket } from './room.ts';

// Workers have it; the types of Node do not.
declare class WebSocketPair {
  /** For the client, in the response. */
  readonly 0: WebSocket;
  readonly 1: ServerSocket;
}

const room = new Room();

export default {
  fetch(request: Request): Response {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/') return new Response(PAGE, { headers: { 'content-type': 'text/html; charset=utf-8' } });
    if (pathname !== '/ws' && pathname !== '/echo') return new Response('Not found', { status: 404 });
    if (request.headers.get('upgrade') !== 'websocket') {
      return new Response('This is a WebSocket', { status: 426, headers: { upgrade: 'websocket' } });
    }
    const { 0: client, 1: server } = new WebSocketPair();
    if (pathname === '/ws') room.join(searchParams.get('name') ?? 'somebody', server);
    else echo(server);
    const init: ResponseInit & { webSocket: WebSocket } = { status: 101, webSocket: client };
    return new Response(null, init);
  },
};

function echo(socket: ServerSocket): void {
  socket.accept();
  socket.addEventListener('message', ({ data }: MessageEvent) => socket.send(data as string | ArrayBuffer));
}
