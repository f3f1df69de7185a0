import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { URL as ReferenceURL } from 'whatwg-url';
import { domainToAscii } from '../../cell/domain.ts';
import { Random, RUNS, SEED } from '../testing/random.ts';
import { setDomainToAscii, URL } from './index.ts';

const SCHEMES = ['http:', 'https:', 'ws:', 'wss:', 'file:', 'ftp:', 'foo:', 'javascript:', 'HTTP:', 'h ttp:', ''];
const SLASHES = ['//', '//', '//', '/', '\\\\', '', '///'];
const HOSTS = [
  'a',
  'a.example',
  'A.B',
  '127.1',
  '0x7f.1',
  '[::1]',
  '[1::ffff]',
  'b\u00fccher',
  'xn--a',
  'u:p@h',
  'a%41',
  '',
];
const PIECES = [
  ...Array.from('/\\?#@:.%[]|<>"`{}^ \t\n\r\'&=+;~_-!$(),*\0\x7f'),
  'a',
  'b',
  'Z',
  '0',
  '9',
  '..',
  '.',
  '/../',
  '/./',
  '%2e',
  '%2E',
  '.%2e',
  '%zz',
  '%C3%A9',
  '\u00e9',
  '\u00df',
  '\u{1f600}',
  '\ud800',
  'C:',
  '/C|/',
  ':80',
  ':8080',
  'segment/',
  'key=value&',
  '//',
  'longer-text-without-anything',
];
const BASES = [
  'http://example.org/a/b/c?d#e',
  'https://user:pass@example.org:81/',
  'ws://h/a/../b//c/',
  'file:///C:/dir/file',
  'file://host/dir/',
  'foo://bar/baz/x?y',
  'data:text/plain,x#y',
  'mailto:a@b',
];
const SETTERS = [
  'href',
  'protocol',
  'username',
  'password',
  'host',
  'hostname',
  'port',
  'pathname',
  'search',
  'hash',
] as const;
const GETTERS = [...SETTERS, 'origin'] as const;

// The reference counts these in UTF-16 units where it walks over code points, and cuts one in two.
const CREDENTIALS_BEYOND_BMP = /[\ud800-\udfff][^]*@/;

function randomUrl(random: Random): string {
  const start = random.chance(70) ? random.pick(SCHEMES) + random.pick(SLASHES) + random.pick(HOSTS) : '';
  return start + random.join(PIECES, random.chance(5) ? 60 : 8);
}

function partsOf(url: Readonly<Record<(typeof GETTERS)[number], string>>): string {
  return GETTERS.map((name) => `${name}=${url[name]}`).join('\n');
}

function parse<T>(make: new (url: string, base?: string) => T, input: string, base: string | undefined): T | undefined {
  try {
    return base === undefined ? new make(input) : new make(input, base);
  } catch {
    return undefined;
  }
}

describe('URL, beside whatwg-url', () => {
  before(() => setDomainToAscii(domainToAscii));

  it(`parses and changes ${RUNS} random URLs alike (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let run = 0; run < RUNS; run++) {
      const input = randomUrl(random);
      if (CREDENTIALS_BEYOND_BMP.test(input)) continue;
      const base = random.chance(50) ? random.pick(BASES) : undefined;
      const where = JSON.stringify({ input, base });
      const ours = parse(URL, input, base);
      const theirs = parse(ReferenceURL, input, base);
      assert.equal(ours !== undefined, theirs !== undefined, `${where} is a URL to only one of them`);
      if (ours === undefined || theirs === undefined) continue;
      assert.equal(partsOf(ours), partsOf(theirs), where);
      for (let change = random.below(3); change > 0; change--) {
        const setter = random.pick(SETTERS);
        const value: string =
          setter === 'href' ? theirs.href : random.chance(30) ? random.pick(HOSTS) : random.join(PIECES, 5);
        ours[setter] = value;
        theirs[setter] = value;
        assert.equal(partsOf(ours), partsOf(theirs), `${where}.${setter} = ${JSON.stringify(value)}`);
      }
    }
  });
});
