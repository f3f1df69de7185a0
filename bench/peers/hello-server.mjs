// The least that answers over HTTP in Node: node-http.ts and process-per-tenant.ts run it.
import { createServer } from 'node:http';

const server = createServer((_request, response) => {
  response.setHeader('content-type', 'text/plain;charset=UTF-8');
  response.end('Hello');
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
