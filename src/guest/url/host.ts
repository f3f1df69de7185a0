/** Hosts (URL standard, section 3). All functions answer undefined for failure. */
import { C0_CONTROL, percentDecode, percentEncode } from './percent.ts';

const FORBIDDEN_HOST = /[\0\t\n\r #/:<>?@[\\\]^|]/;
// oxlint-disable-next-line no-control-regex -- the standard forbids control characters by number
const FORBIDDEN_DOMAIN = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/;
// oxlint-disable-next-line no-control-regex -- U+0000 is ASCII too
const NOT_ASCII = /[^\0-\x7f]/;
const PUNYCODE_LABEL = /(?:^|\.)xn--/i;

let domainToAscii: (domain: string) => string | undefined = () => undefined;

/** Puts UTS 46 in place: asked only for domains that are not ASCII or have an `xn--` label. */
export function setDomainToAscii(convert: (domain: string) => string | undefined): void {
  let asked: string | undefined;
  let answer: string | undefined;
  // A program that parses such URLs parses those of one host again and again, and the host takes 5 us to answer.
  domainToAscii = (domain) => {
    if (domain !== asked) {
      answer = convert(domain);
      asked = domain;
    }
    return answer;
  };
}

/** Host parser: answers the serialized host. */
export function parseHost(text: string, special: boolean): string | undefined {
  if (text.charCodeAt(0) === 0x5b /* [ */) {
    if (!text.endsWith(']')) return undefined;
    const address = parseIpv6(text.slice(1, -1));
    return address === undefined ? undefined : `[${serializeIpv6(address)}]`;
  }
  if (!special) return FORBIDDEN_HOST.test(text) ? undefined : percentEncode(text, C0_CONTROL);
  const domain = percentDecode(text);
  const ascii = NOT_ASCII.test(domain) || PUNYCODE_LABEL.test(domain) ? domainToAscii(domain) : domain.toLowerCase();
  if (ascii === undefined || ascii === '' || FORBIDDEN_DOMAIN.test(ascii)) return undefined;
  return endsInNumber(ascii) ? parseIpv4(ascii) : ascii;
}

function endsInNumber(domain: string): boolean {
  const parts = domain.split('.');
  if (parts[parts.length - 1] === '') {
    if (parts.length === 1) return false;
    parts.pop();
  }
  const last = parts[parts.length - 1] as string;
  return /^[0-9]+$/.test(last) || parseIpv4Number(last) !== undefined;
}

function parseIpv4(text: string): string | undefined {
  const parts = text.split('.');
  if (parts[parts.length - 1] === '' && parts.length > 1) parts.pop();
  if (parts.length > 4) return undefined;
  let address = 0;
  for (let i = 0; i < parts.length; i++) {
    const number = parseIpv4Number(parts[i] as string);
    if (number === undefined) return undefined;
    if (i < parts.length - 1) {
      if (number > 255) return undefined;
      address += number * 256 ** (3 - i);
    } else {
      if (number >= 256 ** (5 - parts.length)) return undefined;
      address += number;
    }
  }
  const byte = (shift: number): number => Math.floor(address / 2 ** shift) % 256;
  return `${byte(24)}.${byte(16)}.${byte(8)}.${byte(0)}`;
}

function parseIpv4Number(text: string): number | undefined {
  if (text === '') return undefined;
  if (/^0x/i.test(text)) {
    const hex = text.slice(2);
    if (hex === '') return 0;
    return /^[0-9a-f]+$/i.test(hex) ? Number.parseInt(hex, 16) : undefined;
  }
  if (text.length > 1 && text.charCodeAt(0) === 0x30) {
    return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
  }
  return /^[0-9]+$/.test(text) ? Number.parseInt(text, 10) : undefined;
}

function parseIpv6(text: string): number[] | undefined {
  const address = [0, 0, 0, 0, 0, 0, 0, 0];
  const { length } = text;
  let piece = 0;
  let compress = -1;
  let i = 0;
  if (text.charCodeAt(0) === 0x3a) {
    if (text.charCodeAt(1) !== 0x3a) return undefined;
    i = 2;
    piece = 1;
    compress = 1;
  }
  while (i < length) {
    if (piece === 8) return undefined;
    if (text.charCodeAt(i) === 0x3a) {
      if (compress >= 0) return undefined;
      i++;
      piece++;
      compress = piece;
      continue;
    }
    let value = 0;
    let digits = 0;
    for (; digits < 4 && i < length; digits++, i++) {
      const digit = hexValue(text.charCodeAt(i));
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    if (i < length) {
      const c = text.charCodeAt(i);
      if (c === 0x2e) {
        if (digits === 0 || piece > 6) return undefined;
        if (!parseTrailingIpv4(text.slice(i - digits), address, piece)) return undefined;
        piece += 2;
        break;
      }
      if (c !== 0x3a) return undefined;
      i++;
      if (i === length) return undefined;
    }
    address[piece] = value;
    piece++;
  }
  if (compress >= 0) {
    const moved = address.splice(compress, piece - compress);
    const zeros: number[] = Array.from({ length: 8 - compress - moved.length }, () => 0);
    return [...address.slice(0, compress), ...zeros, ...moved];
  }
  return piece === 8 ? address : undefined;
}

function parseTrailingIpv4(text: string, address: number[], piece: number): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return false;
  const bytes: number[] = [];
  for (let i = 1; i <= 4; i++) {
    const part = match[i] as string;
    const byte = Number(part);
    if (byte > 255 || (part.length > 1 && part.startsWith('0'))) return false;
    bytes.push(byte);
  }
  address[piece] = (bytes[0] as number) * 256 + (bytes[1] as number);
  address[piece + 1] = (bytes[2] as number) * 256 + (bytes[3] as number);
  return true;
}

function serializeIpv6(address: readonly number[]): string {
  // The first longest run of two zeros or more becomes `::`.
  let start = -1;
  let longest = 1;
  for (let i = 0; i < 8; i++) {
    let run = 0;
    while (i + run < 8 && address[i + run] === 0) run++;
    if (run > longest) {
      longest = run;
      start = i;
    }
    if (run > 0) i += run - 1;
  }
  const hex = (from: number, to: number): string =>
    address
      .slice(from, to)
      .map((piece) => piece.toString(16))
      .join(':');
  return start < 0 ? hex(0, 8) : `${hex(0, start)}::${hex(start + longest, 8)}`;
}

function hexValue(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const lower = c | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
