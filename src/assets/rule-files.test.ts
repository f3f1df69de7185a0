import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_DYNAMIC_REDIRECTS, MAX_HEADER_RULES, MAX_STATIC_REDIRECTS } from '../limits.ts';
import { parseHeaders } from './headers-file.ts';
import { parseRedirects } from './redirects-file.ts';

const lines = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join('\n');

describe('parseRedirects', () => {
  const parse = (source: string) => parseRedirects(source, { htmlHandling: 'auto-trailing-slash' });

  it('reads rules in order, without comments', () => {
    const { rules, problems } = parse(
      '# a comment\n/a /b\n  /c   https://x.test/d?e#f  301  # why\nwithout-slash /x\n\n/ü /ö 200\n',
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(rules, [
      { from: '/a', to: '/b', status: 302 },
      { from: '/c', to: 'https://x.test/d?e#f', status: 301 },
      { from: '/without-slash', to: '/x', status: 302 },
      { from: '/%C3%BC', to: '/%C3%B6', status: 200 },
    ]);
  });

  it('leaves out what is wrong, and says where', () => {
    const wrong = [
      '/only',
      '/a /b 301 more',
      '/a /b 404',
      '/a nowhere',
      '/a http://x.test/',
      'https://x.test/a /b',
      '/a https://x.test/ 200',
      '/* /index.html',
      '/ /index',
      '/:a/:a /b',
      `/${'x'.repeat(2_000)} /b`,
    ];
    const { rules, problems } = parse(`${wrong.join('\n')}\n/good /b\n/good /c`);
    assert.deepEqual(rules, [{ from: '/good', to: '/b', status: 302 }]);
    assert.deepEqual(
      problems.map(({ line }) => line).toSorted((a, b) => a - b),
      [...wrong.map((_, i) => i + 1), wrong.length + 2],
    );
  });

  it('takes so many static rules and so many others', () => {
    const statics = lines(MAX_STATIC_REDIRECTS + 1, (i) => `/s${i} /x`);
    const dynamics = lines(MAX_DYNAMIC_REDIRECTS + 1, (i) => `/d${i}/* /x`);
    const { rules, problems } = parse(`${statics}\n${dynamics}`);
    assert.equal(rules.length, MAX_STATIC_REDIRECTS + MAX_DYNAMIC_REDIRECTS);
    assert.equal(problems.length, 2);
  });
});

describe('parseHeaders', () => {
  it('reads paths with their headers', () => {
    const { rules, problems } = parseHeaders(
      '/a/*\n  X-One: 1\n  X-Two: a: b\n  ! Etag\n# no\nhttps://x.test/b\n  X-One:2\n',
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(rules, [
      {
        path: '/a/*',
        set: [
          ['x-one', '1'],
          ['x-two', 'a: b'],
        ],
        unset: ['etag'],
      },
      { path: 'https://x.test/b', set: [['x-one', '2']], unset: [] },
    ]);
  });

  it('leaves out what is wrong, and says where', () => {
    const source = `X-Early: 1
/empty
/good
  no header
  X-Good: 1
  X Bad: 1
  X-Empty:
  X-Control: a\u0000b
  Content-Length: 5
  X-Isola-Ray: forged
  Transfer-Encoding: chunked
/*/*
  X-Skipped: 1
https://x.test:80/
  X-Skipped: 1
http://x.test/
  X-Skipped: 1`;
    const { rules, problems } = parseHeaders(source);
    assert.deepEqual(rules, [{ path: '/good', set: [['x-good', '1']], unset: [] }]);
    assert.deepEqual(
      problems.map(({ line }) => line).toSorted((a, b) => a - b),
      [1, 2, 4, 6, 7, 8, 9, 10, 11, 12, 14, 16],
    );
  });

  it('takes so many rules', () => {
    const { rules, problems } = parseHeaders(lines(MAX_HEADER_RULES + 1, (i) => `/${i}\n  X-A: 1`));
    assert.equal(rules.length, MAX_HEADER_RULES);
    assert.equal(problems.length, 1);
  });
});
