import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random, RUNS, SEED } from '../guest/testing/random.ts';
import { MAX_ROUTE_PATH_CHARS } from '../limits.ts';
import { isWithin, parseDomain, parseHostname, parseHostPattern, parsePattern } from './index.ts';

const refused = { kind: 'badHostname' };

describe('parseHostname', () => {
  it('gives each name its one spelling', () => {
    for (const [text, name] of [
      ['example.com', 'example.com'],
      ['EXAMPLE.Com.', 'example.com'],
      ['münchen.de', 'xn--mnchen-3ya.de'],
      ['XN--MNCHEN-3YA.DE', 'xn--mnchen-3ya.de'],
      ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
      ['ａ。ｂ', 'a.b'],
      ['1.example.com', '1.example.com'],
    ] as const) {
      assert.equal(parseHostname(text), name);
    }
  });

  it('refuses what is no name in the public DNS', () => {
    for (const text of [
      '',
      '.',
      '..',
      'localhost',
      'com',
      '.example.com',
      'example..com',
      'example.com..',
      '-a.com',
      'a-.com',
      '127.0.0.1',
      '1.2.3',
      '0x7f.1',
      '127.1',
      '2130706433',
      '[::1]',
      '::1',
      'a.0x1',

      'a.com:80',
      'a.com/',
      'a@b.com',
      'a.com?',
      'a.com#',
      'a b.com',
      'a.com\n',
      '\u0000a.com',
      'a%2ecom.de',
      '*.a.com',

      'a_b.com',
      '_dmarc.a.com',
      'xn--\u0080.com',
      'a\u00ad\u200b',
      '\u202ea.com\u202c/',
    ]) {
      assert.throws(() => parseHostname(text), refused, JSON.stringify(text));
    }
  });

  it('knows the limits of labels and names', () => {
    assert.equal(parseHostname(`${'a'.repeat(63)}.com`).length, 67);
    assert.throws(() => parseHostname(`${'a'.repeat(64)}.com`), /1 to 63/);
    const long = Array.from({ length: 4 }, () => 'a'.repeat(62)).join('.');
    assert.equal(parseHostname(long).length, 251);
    assert.throws(() => parseHostname(`aaa.${long}`), /limit is 253/);
    assert.equal(parseHostname('a.b.c.d.e.f.g.h.i.j'), 'a.b.c.d.e.f.g.h.i.j');
    assert.throws(() => parseHostname('a.b.c.d.e.f.g.h.i.j.k'), /11 parts, limit is 10/);
  });

  it('whatever it takes it takes again, unchanged', () => {
    const random = new Random(SEED);
    const pieces = ['a', 'B', '-', '.', '1', 'ü', 'ß', '。', 'xn--', '\u200d', '_', ' ', ':', '%', '😀', '٣'];
    for (let run = 0; run < RUNS; run++) {
      const text = random.join(pieces, 12);
      let name: string;
      try {
        name = parseHostname(text);
      } catch (error) {
        assert.equal((error as { kind?: string }).kind, 'badHostname', `seed ${SEED}: ${JSON.stringify(text)}`);
        continue;
      }
      assert.equal(parseHostname(name), name, `seed ${SEED}: ${JSON.stringify(text)}`);
      assert.match(name, /^[a-z0-9-]+(\.[a-z0-9-]+)+$/);
    }
  });
});

describe('parsePattern', () => {
  it('takes hosts with and without a wildcard, and paths', () => {
    const exact = { host: 'example.com', wildcard: 'none', path: '/', isPrefix: false };
    assert.deepEqual(parsePattern('Example.com'), exact);
    assert.deepEqual(parsePattern('example.com/'), exact);
    assert.deepEqual(parsePattern('https://example.com/*'), { ...exact, isPrefix: true, scheme: 'https' });
    assert.deepEqual(parsePattern('HTTP://*.example.com/Api*'), {
      ...exact,
      wildcard: 'subdomains',
      path: '/Api',
      isPrefix: true,
      scheme: 'http',
    });
    assert.deepEqual(parsePattern('*example.com/a'), { ...exact, wildcard: 'all', path: '/a' });
    assert.deepEqual(parseDomain('example.com'), { ...exact, isPrefix: true });
  });

  it('keeps paths as the Worker will see them', () => {
    assert.equal(parsePattern('a.com/x/../y/*').path, '/y/');
    assert.equal(parsePattern('a.com/é').path, '/%C3%A9');
    assert.equal(parsePattern('a.com//x').path, '//x');
  });

  it('refuses wildcards elsewhere, ports, queries and other schemes, and says why', () => {
    for (const [pattern, reason] of [
      ['*', /needs a host name/],
      ['*/x', /needs a host name/],
      ['a.*.com', /no port, path, space or wildcard/],
      ['a.com/*.jpg', /last character/],
      ['a.com/**', /last character/],
      ['a.com/?x', /query/],
      ['a.com/#x', /fragment/],
      ['a.com?x=*', /query/],
      ['a.com:8080/*', /no port/],
      ['ftp://a.com/', /http or https/],
      ['javascript:alert(1)', /no port/],
      ['', /empty/],
      ['*localhost', /one part only/],
    ] as const) {
      assert.throws(() => parsePattern(pattern), reason, pattern);
      assert.throws(() => parsePattern(pattern), refused, pattern);
    }
    assert.equal(parsePattern(`a.com/${'x'.repeat(MAX_ROUTE_PATH_CHARS - 1)}`).path.length, MAX_ROUTE_PATH_CHARS);
    assert.throws(() => parsePattern(`a.com/${'x'.repeat(MAX_ROUTE_PATH_CHARS)}`), /limit is 1024/);
  });
});

describe('isWithin', () => {
  it('goes by whole labels', () => {
    assert.equal(isWithin('example.com', 'example.com'), true);
    assert.equal(isWithin('a.example.com', 'example.com'), true);
    assert.equal(isWithin('myexample.com', 'example.com'), false);
    assert.equal(isWithin('example.com', 'a.example.com'), false);
  });
});

describe('parseHostPattern', () => {
  for (const [text, pattern] of [
    ['Example.COM', 'example.com'],
    ['example.com.', 'example.com'],
    ['*.example.com', '*.example.com'],
    ['bücher.test', 'xn--bcher-kva.test'],
    ['127.1', '127.0.0.1'],
    ['2001:DB8::1', '[2001:db8::1]'],
    ['[::1]', '[::1]'],
    ['_dmarc.example.com', '_dmarc.example.com'],
  ] as const) {
    it(`reads ${text} as ${pattern}`, () => assert.equal(parseHostPattern(text), pattern));
  }
  for (const text of [
    '',
    '*',
    '*.',
    'a b',
    'http://a.test',
    'a.test/x',
    'a.test:80',
    'a@b.test',
    'a..b',
    '*.[::1]',
    '256.0.0.1',
  ]) {
    it(`refuses '${text}'`, () => assert.equal(parseHostPattern(text), undefined));
  }
});
