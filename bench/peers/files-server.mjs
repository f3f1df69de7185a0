// The least that sends a body of a size in Node, with the headers that a static file has. The host's name is the size.
import { createServer } from 'node:http';

const bodies = new Map(process.argv.slice(2).map((size) => [`f${size}`, Buffer.alloc(Number(size), 'x')]));

const server = createServer((request, response) => {
  const body = bodies.get(request.headers.host);
  response.writeHead(200, [
    'content-type',
    'text/html; charset=utf-8',
    'etag',
    `"${'0'.repeat(64)}"`,
    'accept-ranges',
    'bytes',
    'cache-control',
    'public, max-age=0, must-revalidate',
    'content-length',
    String(body.length),
  ]);
  response.end(body);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
