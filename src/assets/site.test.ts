import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseHeaders } from './headers-file.ts';
import type { AssetConfig, HtmlHandling } from './manifest.ts';
import { parseRedirects } from './redirects-file.ts';
import { createSite, describeAnswer, toRequest } from './testing.ts';

const redirects = (source: string): Partial<AssetConfig> => ({
  redirects: parseRedirects(source, { htmlHandling: 'auto-trailing-slash' }).rules,
});
const headers = (source: string): Partial<AssetConfig> => ({ headers: parseHeaders(source).rules });

describe('Site finds the file of a path', () => {
  const files = ['/index.html', '/file.html', '/folder/index.html', '/both.html', '/both/index.html', '/bin'];
  const table: Record<HtmlHandling, Record<string, string>> = {
    'auto-trailing-slash': {
      '/': '/index.html',
      '/index': '307 /',
      '/index.html': '307 /',
      '/file': '/file.html',
      '/file/': '307 /file',
      '/file.html': '307 /file',
      '/file/index': '307 /file',
      '/file/index.html': '307 /file',
      '/folder': '307 /folder/',
      '/folder/': '/folder/index.html',
      '/folder.html': '307 /folder/',
      '/folder/index': '307 /folder/',
      '/folder/index.html': '307 /folder/',
      '/both': '/both.html',
      '/both/': '/both/index.html',
      '/both.html': '307 /both',
      '/bin': '/bin',
      '/bin/': '404',
    },
    'force-trailing-slash': {
      '/': '/index.html',
      '/index': '307 /',
      '/index.html': '307 /',
      '/file': '307 /file/',
      '/file/': '/file.html',
      '/file.html': '307 /file/',
      '/file/index': '307 /file/',
      '/file/index.html': '307 /file/',
      '/folder': '307 /folder/',
      '/folder/': '/folder/index.html',
      '/folder.html': '307 /folder/',
      '/folder/index': '307 /folder/',
      '/folder/index.html': '307 /folder/',
      '/both': '307 /both/',
      '/both/': '/both/index.html',
      '/both.html': '/both.html',
      '/bin': '/bin',
    },
    'drop-trailing-slash': {
      '/': '/index.html',
      '/index': '307 /',
      '/index.html': '307 /',
      '/file': '/file.html',
      '/file/': '307 /file',
      '/file.html': '307 /file',
      '/file/index': '307 /file',
      '/file/index.html': '307 /file',
      '/folder': '/folder/index.html',
      '/folder/': '307 /folder',
      '/folder.html': '307 /folder',
      '/folder/index': '307 /folder',
      '/folder/index.html': '307 /folder',
      '/both': '/both.html',
      '/both/': '307 /both',
      '/both/index.html': '/both/index.html',
      '/bin': '/bin',
    },
    none: {
      '/': '404',
      '/index': '404',
      '/index.html': '/index.html',
      '/file': '404',
      '/file.html': '/file.html',
      '/folder/': '404',
      '/folder/index.html': '/folder/index.html',
      '/bin': '/bin',
    },
  };
  for (const [htmlHandling, expected] of Object.entries(table) as [HtmlHandling, Record<string, string>][]) {
    it(`with ${htmlHandling}`, () => {
      const site = createSite(files, { htmlHandling });
      const answers = Object.keys(expected).map((path) => [path, describeAnswer(site.fetch(toRequest(path)))]);
      assert.deepEqual(Object.fromEntries(answers), expected);
      // What is remembered answers as what was worked out.
      for (const path of Object.keys(expected)) {
        assert.equal(describeAnswer(site.fetch(toRequest(path))), expected[path], path);
      }
    });
  }

  it('and takes the query along when it redirects', () => {
    assert.equal(describeAnswer(createSite(files).fetch(toRequest('/file.html?a=1&b'))), '307 /file?a=1&b');
  });

  it('whatever a path is made of', () => {
    const site = createSite(['/a b/ü.css', '/@x.js', '/index.html', '/toString', '/100%.css']);
    const answers: Record<string, string> = {
      '/a%20b/%C3%BC.css': '/a b/ü.css',
      '/a%20b/%c3%bc.css': '307 /a%20b/%C3%BC.css',
      '/%61%20b/%C3%BC.css': '307 /a%20b/%C3%BC.css',
      '/%40x.js': '/@x.js',
      '/@x.js': '307 /%40x.js',
      '/toString': '/toString',
      '/constructor': '404',
      '/__proto__': '404',
      '/100%25.css': '/100%.css',
      '/100%.css': '307 /100%25.css',
      '/x/../index.html': '307 /',
      '/x/%2e%2e/index.html': '307 /',
      '/..%2findex.html': '404',
      '/../../etc/passwd': '404',
      '//index.html': '307 /',
      '///': '307 /',
      '//evil.test': '404',
      '/\\evil.test/..': '307 /',
    };
    for (const [path, expected] of Object.entries(answers)) {
      assert.equal(describeAnswer(site.fetch(toRequest(path))), expected, path);
    }
  });

  it('below a base', () => {
    const site = createSite(['/index.html', '/a.css'], { basePath: '/app/' });
    const answers: Record<string, string> = {
      '/app/': '/index.html',
      '/app': '307 /app/',
      '/app/index.html': '307 /app/',
      '/app/a.css': '/a.css',
      '/a.css': 'worker',
      '/': 'worker',
      '/apple': 'worker',
    };
    for (const [path, expected] of Object.entries(answers)) {
      assert.equal(describeAnswer(site.route(toRequest(path))), expected, path);
    }
  });

  it('for GET and HEAD alone', () => {
    const site = createSite(['/index.html']);
    assert.equal(describeAnswer(site.route(toRequest('/', { method: 'HEAD' }))), '/index.html');
    assert.equal(describeAnswer(site.route(toRequest('/', { method: 'POST' }))), '405');
    assert.equal(describeAnswer(site.route(toRequest('/api', { method: 'POST' }))), 'worker');
  });
});

describe('Site, when there is no such file', () => {
  const files = ['/index.html', '/404.html', '/blog/404.html', '/blog/post.html'];

  it('asks the Worker', () => {
    assert.equal(describeAnswer(createSite(files).route(toRequest('/nothing'))), 'worker');
  });

  it('with 404-page gives the nearest 404.html to navigations, and to all without a Worker', () => {
    const site = createSite(files, { notFoundHandling: '404-page' });
    assert.equal(describeAnswer(site.fetch(toRequest('/blog/x/y/z'))), '404 /blog/404.html');
    assert.equal(describeAnswer(site.fetch(toRequest('/shop/x'))), '404 /404.html');
    assert.equal(describeAnswer(site.route(toRequest('/blog/x'))), 'worker');
    assert.equal(describeAnswer(site.route(toRequest('/blog/x', { isNavigation: true }))), '404 /blog/404.html');
  });

  it('with single-page-application gives /index.html to navigations, and to all without a Worker', () => {
    const site = createSite(files, { notFoundHandling: 'single-page-application' });
    assert.equal(describeAnswer(site.fetch(toRequest('/deep/link'))), '/index.html');
    assert.equal(describeAnswer(site.route(toRequest('/api'))), 'worker');
    assert.equal(describeAnswer(site.route(toRequest('/api', { isNavigation: true }))), '/index.html');
  });

  it('asks the Worker about navigations too, at older compatibility dates', () => {
    const config = { notFoundHandling: 'single-page-application', navigationPrefersFiles: false } as const;
    assert.equal(describeAnswer(createSite(files, config).route(toRequest('/x', { isNavigation: true }))), 'worker');
  });

  it('does not take long for a path of many folders', () => {
    const site = createSite(files, { notFoundHandling: '404-page' });
    const start = performance.now();
    for (let i = 0; i < 100; i++) site.fetch(toRequest('/a'.repeat(8_000)));
    assert.ok(performance.now() - start < 2_000);
  });
});

describe('Site with run_worker_first', () => {
  const files = ['/index.html', '/api/docs.html', '/api/data.json'];

  it('true asks the Worker about everything', () => {
    assert.equal(describeAnswer(createSite(files, { workerFirst: true }).route(toRequest('/'))), 'worker');
  });

  it('patterns ask it about some paths, those with an exclamation mark before the others', () => {
    const workerFirst = { worker: ['/api/*', '/x*y'], files: ['/api/docs*'] };
    const site = createSite(files, { workerFirst, notFoundHandling: 'single-page-application' });
    const answers: Record<string, string> = {
      '/': '/index.html',
      '/api/data.json': 'worker',
      '/api/docs': '/api/docs.html',
      '/x/1/y': 'worker',
      '/x/1': '/index.html', // elsewhere not_found_handling holds
    };
    for (const [path, expected] of Object.entries(answers)) {
      assert.equal(describeAnswer(site.route(toRequest(path))), expected, path);
    }
  });
});

describe('Site with _redirects', () => {
  const files = ['/index.html', '/new.html', '/blog/post.html', '/spa.html'];

  it('sends there, with the query', () => {
    const site = createSite(
      files,
      redirects(`
        /old /new 301
        /home https://example.com/start?from=here#top 308
        /new /other
        /blog/* /articles/:splat
        /u/:name/:id/x https://:name.example.com/:id 303
      `),
    );
    const answers: Record<string, string> = {
      '/old': '301 /new',
      '/old?a=1': '301 /new?a=1',
      '/home?a=1': '308 https://example.com/start?from=here#top',
      '/new': '302 /other', // before the file of that name
      '/blog/post': '302 /articles/post',
      '/blog/': '302 /articles/',
      '/blog/a/b?c': '302 /articles/a/b?c',
      '/u/ann/7/x': '303 https://ann.example.com/7',
      '/u/ann/7/y': 'worker',
      '/u/a b/7/x': 'worker', // no such host
    };
    for (const [path, expected] of Object.entries(answers)) {
      assert.equal(describeAnswer(site.route(toRequest(path))), expected, path);
    }
  });

  it('serves another path with status 200', () => {
    const site = createSite(files, redirects('/app/* /spa 200\n/gone /nothing 200'));
    assert.equal(describeAnswer(site.route(toRequest('/app/x/y'))), '/spa.html');
    assert.equal(describeAnswer(site.route(toRequest('/gone'))), '404');
  });

  it('leads to no other host by what a client writes', () => {
    const site = createSite(
      ['/index.html', '/evil.test.html'],
      redirects('/go/* /:splat\n/own/* https://site.test/:splat'),
    );
    const paths = ['/go//evil.test', '/go/\\evil.test', '/go/%5cevil.test', '/go//\\/evil.test/', '//evil.test.html'];
    for (const path of [...paths, '/own//evil.test', '/\\evil.test.html', '/%2fevil.test.html', '//evil.test/']) {
      const location = describeAnswer(site.fetch(toRequest(path))).split(' ')[1];
      assert.notEqual(location, undefined, path);
      assert.equal(new URL(location ?? '', 'http://site.test').hostname, 'site.test', `${path} → ${location}`);
    }
  });
});

describe('Site with _headers', () => {
  it('sets, joins, replaces and takes away', () => {
    const site = createSite(
      ['/index.html', '/css/a.css', '/secret.css'],
      headers(`
        /*
          X-All: 1
          X-All: 2
        /css/*
          Cache-Control: public, max-age=31536000, immutable
          X-All: 3
          X-Path: :splat
        /secret.css
          ! X-All
          Set-Cookie: a=1
        https://:sub.site.test/*
          X-Sub: :sub
        /old
          X-Robots-Tag: noindex
      `),
    );
    const fieldsOf = (path: string, host = 'site.test') => {
      const answer = site.fetch(toRequest(path, { host }));
      return Object.fromEntries(answer.fields);
    };
    assert.deepEqual(fieldsOf('/'), {
      'content-type': 'text/html; charset=utf-8',
      etag: '"/index.html"',
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=0, must-revalidate',
      'x-all': '1, 2',
    });
    assert.deepEqual(fieldsOf('/css/a.css'), {
      'content-type': 'text/css; charset=utf-8',
      etag: '"/css/a.css"',
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-all': '1, 2, 3',
      'x-path': 'a.css',
    });
    assert.equal(fieldsOf('/secret.css')['x-all'], undefined);
    assert.equal(fieldsOf('/secret.css')['set-cookie'], 'a=1');
    assert.equal(fieldsOf('/', 'www.site.test:8787')['x-sub'], 'www');
    assert.equal(fieldsOf('/')['x-sub'], undefined);
    assert.equal(fieldsOf('/old')['x-robots-tag'], 'noindex'); // of a 404 too
  });
});
