/** A DNS server on loopback that knows TXT and A records, for tests: RFC 1035 as far as one question needs it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const A = 1;
const TXT = 16;
const CLASS_IN = 1;
const NAME_ERROR = 3;
const HEADER_BYTES = 12;

export interface DnsServer extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** Texts by name, in lower case. */
  readonly records: Map<string, string[]>;
  /** IPv4 addresses by name: one list an answer, the last one again and again. */
  readonly addresses: Map<string, string[][]>;
  /** Names that get no answer at all. */
  readonly silent: Set<string>;
  /** Names that were asked for. */
  readonly asked: string[];
}

export async function startDnsServer(): Promise<DnsServer> {
  const records = new Map<string, string[]>();
  const addresses = new Map<string, string[][]>();
  const asked: string[] = [];
  const silent = new Set<string>();
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query);
    const type = query.readUInt16BE(end);
    const answers = addresses.get(name) ?? [];
    if (type === A || answers.length === 0) asked.push(name);
    if (silent.has(name)) return;
    const ips = type === A ? ((answers.length > 1 ? answers.shift() : answers[0]) ?? []) : [];
    const data = type === TXT ? (records.get(name) ?? []).map(toText) : ips.map(toAddress);
    const isKnown = records.has(name) || addresses.has(name);
    socket.send(toAnswer(query.subarray(0, end + 4), { isKnown, type, data }), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    records,
    addresses,
    silent,
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

interface Answer {
  readonly isKnown: boolean;
  readonly type: number;
  readonly data: readonly Buffer[];
}

/** `question`: the header and the question of the query. */
function toAnswer(question: Buffer, { isKnown, type, data }: Answer): Buffer {
  const head = Buffer.from(question);
  head.writeUInt16BE(0x8180 | (isKnown ? 0 : NAME_ERROR), 2); // a response, recursion wanted and available
  head.writeUInt16BE(data.length, 6);
  head.writeUInt32BE(0, 8);
  return Buffer.concat([head, ...data.map((bytes) => toRecord(type, bytes))]);
}

function toText(text: string): Buffer {
  // Up to 255 bytes a string, as many as it takes.
  const strings = [...text.matchAll(/[^]{1,255}/g)].map(([part]) => Buffer.from([part.length, ...Buffer.from(part)]));
  return Buffer.concat(strings);
}

function toAddress(ip: string): Buffer {
  return Buffer.from(ip.split('.').map(Number));
}

function toRecord(type: number, data: Buffer): Buffer {
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(0xc000 | HEADER_BYTES, 0); // the name of the question
  fixed.writeUInt16BE(type, 2);
  fixed.writeUInt16BE(CLASS_IN, 4);
  fixed.writeUInt16BE(data.length, 10);
  return Buffer.concat([fixed, data]);
}
