import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHref, setDomainToAscii, URL, URLSearchParams } from './index.ts';

const parts = (text: string, base?: string): unknown[] => {
  const u = new URL(text, base);
  return [u.protocol, u.username, u.password, u.host, u.pathname, u.search, u.hash];
};

describe('URL', () => {
  it('takes an ordinary URL apart', () => {
    assert.deepEqual(parts('https://ex.com:8080/a/b?x=1#f'), ['https:', '', '', 'ex.com:8080', '/a/b', '?x=1', '#f']);
    assert.equal(new URL('https://ex.com').href, 'https://ex.com/');
    assert.equal(new URL('https://ex.com:8080/').origin, 'https://ex.com:8080');
  });

  it('normalizes what is not in its serialized form', () => {
    const forms = {
      'HTTPS://EX.com:443/a/../b/./%2e%2E/c d?q=\u00e9#\u20ac': 'https://ex.com/c%20d?q=%C3%A9#%E2%82%AC',
      ' http:\\\\user:p@ss@h\\x\t\n ': 'http://user:p%40ss@h/x',
      'http://0x7f.1/': 'http://127.0.0.1/',
      'http://[1:0::0:2]/': 'http://[1::2]/',
      'file:///C|/x/../..': 'file:///C:/',
      'mailto:a@b ?c': 'mailto:a@b%20?c',
      'web+x:/.//p': 'web+x:/.//p',
      'blob:https://ex.com/1': 'blob:https://ex.com/1',
    };
    for (const [text, href] of Object.entries(forms)) assert.equal(new URL(text).href, href);
  });

  it('resolves against a base', () => {
    const base = 'https://u:p@ex.com/a/b?q#f';
    assert.equal(new URL('../x?y', base).href, 'https://u:p@ex.com/x?y');
    assert.equal(new URL('/x', 'https://ex.com/a').href, 'https://ex.com/x');
    assert.equal(new URL('/x', 'foo:///a').href, 'foo:///x');
    assert.equal(new URL('//h/x', base).href, 'https://h/x');
    assert.equal(new URL('', base).href, 'https://u:p@ex.com/a/b?q');
    assert.equal(new URL('#g', 'mailto:a').href, 'mailto:a#g');
  });

  it('refuses what is no URL', () => {
    for (const text of [
      '',
      'x',
      '//h',
      'http://',
      'http://a b',
      'http://h:99999',
      'http://1.2.3.256',
      'http://[::g]',
    ]) {
      assert.equal(URL.canParse(text), false, text);
      assert.equal(URL.parse(text), null);
      assert.equal(parseHref(text), undefined);
      assert.throws(() => new URL(text), TypeError);
    }
  });

  it('asks for UTS 46 only when a domain needs it', () => {
    const asked: string[] = [];
    setDomainToAscii((domain) => {
      asked.push(domain);
      return domain === 'b\u00fccher.de' ? 'xn--bcher-kva.de' : undefined;
    });
    assert.equal(new URL('https://EXAMPLE.com/').hostname, 'example.com');
    assert.equal(new URL('https://b\u00fccher.de/').hostname, 'xn--bcher-kva.de');
    assert.equal(URL.canParse('https://xn--a/'), false);
    assert.deepEqual(asked, ['b\u00fccher.de', 'xn--a']);
  });

  it('changes through its setters', () => {
    const url = new URL('https://ex.com/a?x=1#f');
    url.protocol = 'http';
    url.host = 'h:81';
    url.hostname = 'g';
    url.username = 'u@';
    url.password = 'p';
    url.pathname = 'a b/../c';
    url.search = 'q=1';
    url.hash = '\n'; // not empty, but nothing is left of it: a `#` alone
    assert.equal(url.href.at(-1), '#');
    url.hash = '';
    assert.equal(url.href, 'http://u%40:p@g:81/c?q=1');
    url.port = '80';
    url.protocol = 'mailto'; // from special to not: ignored
    url.host = ''; // ignored
    assert.equal(url.href, 'http://u%40:p@g/c?q=1');
    assert.throws(() => (url.href = 'x'), TypeError);
  });

  it('shares its query with searchParams, both ways', () => {
    const url = new URL('https://ex.com/?a=1#f');
    const params = url.searchParams;
    params.append('b', '\u00e9 +');
    assert.equal(url.href, 'https://ex.com/?a=1&b=%C3%A9+%2B#f');
    url.search = '?c=3';
    assert.deepEqual([...params], [['c', '3']]);
    params.delete('c');
    assert.equal(url.href, 'https://ex.com/#f');
  });

  it('stays linear in hostile input', () => {
    const long = 'a'.repeat(200_000);
    for (const text of [
      `http://h/${'../'.repeat(60_000)}`,
      `http://${'@'.repeat(60_000)}h/`,
      `http://h/?${long}%`,
      long,
    ]) {
      URL.canParse(text); // finishes within the test's time limit
    }
  });
});

describe('URLSearchParams', () => {
  it('reads text, pairs and records', () => {
    assert.equal(new URLSearchParams('?a=%20&b=+&&=c&d').toString(), 'a=+&b=+&=c&d=');
    assert.equal(
      new URLSearchParams([
        ['a', '1'],
        ['a', '2'],
      ]).toString(),
      'a=1&a=2',
    );
    assert.equal(new URLSearchParams({ a: '1', b: '2' }).toString(), 'a=1&b=2');
    assert.throws(() => new URLSearchParams([['a']]), TypeError);
  });

  it('keeps malformed escapes and replaces malformed UTF-8', () => {
    assert.equal(new URLSearchParams('a=%zz%f').get('a'), '%zz%f');
    assert.equal(new URLSearchParams('a=%ff').get('a'), '\ufffd');
  });

  it('sets, deletes by value, and sorts by name in a stable way', () => {
    const params = new URLSearchParams('b=1&a=1&b=2&a=0');
    params.sort();
    assert.equal(params.toString(), 'a=1&a=0&b=1&b=2');
    params.set('a', 'x');
    params.delete('b', '1');
    assert.equal(params.toString(), 'a=x&b=2');
    assert.equal(params.has('b', '1'), false);
    assert.equal(params.size, 2);
  });
});
