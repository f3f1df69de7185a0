/** A DNS server on loopback that knows TXT records, for tests: RFC 1035 as far as one question needs it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const TXT = 16;
const CLASS_IN = 1;
const NAME_ERROR = 3;
const HEADER_BYTES = 12;

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** Texts by name, in lower case. */
  readonly records: Map<string, string[]>;
  /** Names that were asked for. */
  readonly asked: string[];
}

export async function startDnsServer(): Promise<DnsServer> {
  const records = new Map<string, string[]>();
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query);
    asked.push(name);
    socket.send(toAnswer(query.subarray(0, end + 4), records.get(name)), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    records,
    asked,
    [Symbol.asyncDispose]: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at++] ?? 0; length !== 0; length = query[at++] ?? 0) {
    labels.push(query.toString('latin1', at, at + length));
    at += length;
  }
  return { name: labels.join('.').toLowerCase(), end: at };
}

/** `question`: the header and the question of the query. */
function toAnswer(question: Buffer, texts: readonly string[] | undefined): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | (texts === undefined ? NAME_ERROR : 0), 2); // a response, recursion wanted and available
  head.writeUInt16BE(texts?.length ?? 0, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...(texts ?? []).map(toRecord)]);
}

function toRecord(text: string): Buffer {
  // Up to 255 bytes a string, as many as it takes.
  const strings = [...text.matchAll(/[^]{1,255}/g)].map(([part]) => Buffer.from([part.length, ...Buffer.from(part)]));
  const data = Buffer.concat(strings);
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(0xc000 | HEADER_BYTES, 0); // the name of the question
  fixed.writeUInt16BE(TXT, 2);
  fixed.writeUInt16BE(CLASS_IN, 4);
  fixed.writeUInt16BE(data.length, 10);
  return Buffer.concat([fixed, data]);
}
