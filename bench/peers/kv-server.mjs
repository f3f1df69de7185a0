// The least that answers from a table in Node: node:sqlite in the thread that serves. Arguments: a file, keys, bytes of a value.
import { createServer } from 'node:http';
import { DatabaseSync } from 'node:sqlite';

const [path, keys, bytes] = process.argv.slice(2);
const database = new DatabaseSync(path);
database.exec(
  'PRAGMA journal_mode = WAL; CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID; BEGIN',
);
const put = database.prepare('INSERT INTO entries VALUES (?, ?)');
for (let i = 0; i < Number(keys); i++) put.run(`key-${i}`, Buffer.alloc(Number(bytes), 'x'));
database.exec('COMMIT');
const get = database.prepare('SELECT value FROM entries WHERE key = ?');

const server = createServer((_request, response) => {
  const value = get.get(`key-${Math.floor(Math.random() * Number(keys))}`).value;
  response.writeHead(200, ['content-type', 'text/plain', 'content-length', String(value.byteLength)]);
  response.end(value);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
