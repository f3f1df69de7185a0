import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Conditions, respond } from './respond.ts';
import { createSite, toRequest } from './testing.ts';

const TAG = '"/0123456789.css"'; // of a file of 15 bytes

function ask(conditions: Partial<Conditions>, path = '/0123456789.css') {
  const site = createSite(['/0123456789.css', '/404.html'], { notFoundHandling: '404-page' });
  const { status, headers, body } = respond(site.fetch(toRequest(path)), { method: 'GET', ...conditions });
  const fields = Object.fromEntries(
    headers.flatMap((name, i) => (i % 2 === 0 ? [[name, headers[i + 1]] as const] : [])),
  );
  return { status, fields, sent: body === undefined ? undefined : [body.start, body.end] };
}

describe('respond', () => {
  it('sends all of the file, and of HEAD the headers alone', () => {
    const { status, fields, sent } = ask({});
    assert.equal(status, 200);
    assert.deepEqual(sent, [0, 15]);
    assert.deepEqual(fields, {
      'content-type': 'text/css; charset=utf-8',
      etag: TAG,
      'accept-ranges': 'bytes',
      'cache-control': 'public, max-age=0, must-revalidate',
      'content-length': '15',
    });
    assert.deepEqual(ask({ method: 'HEAD' }), { status, fields, sent: undefined });
  });

  it('says that nothing has changed when the client has it', () => {
    for (const ifNoneMatch of [TAG, `W/${TAG}`, `"x", ${TAG}`, '*']) {
      const { status, fields, sent } = ask({ ifNoneMatch });
      assert.equal(status, 304, ifNoneMatch);
      assert.equal(sent, undefined);
      assert.equal(fields['etag'], TAG);
      assert.equal(fields['content-length'], undefined);
      assert.equal(fields['content-type'], undefined);
    }
    assert.equal(ask({ ifNoneMatch: '"other"' }).status, 200);
    assert.equal(ask({ ifNoneMatch: '*' }, '/nothing').status, 404);
  });

  it('sends the one range that is asked for', () => {
    const table: Record<string, [sent: number[], range: string]> = {
      'bytes=0-4': [[0, 5], 'bytes 0-4/15'],
      'bytes=5-': [[5, 15], 'bytes 5-14/15'],
      'bytes=-3': [[12, 15], 'bytes 12-14/15'],
      'bytes=10-99': [[10, 15], 'bytes 10-14/15'],
    };
    for (const [range, [sent, contentRange]] of Object.entries(table)) {
      const answer = ask({ range });
      assert.equal(answer.status, 206, range);
      assert.deepEqual(answer.sent, sent);
      assert.equal(answer.fields['content-range'], contentRange);
      assert.equal(answer.fields['content-length'], String((sent[1] ?? 0) - (sent[0] ?? 0)));
      assert.equal(answer.fields['cache-control'], undefined);
    }
  });

  it('sends everything for ranges that are several, malformed, of another kind, or of something else', () => {
    for (const conditions of [
      { range: 'bytes=0-1,4-5' },
      { range: 'bytes=4-1' },
      { range: 'bytes=x' },
      { range: 'lines=0-1' },
      { range: 'bytes=0-1', ifRange: '"other"' },
      { range: 'bytes=0-1', ifRange: `W/${TAG}` },
      { range: 'bytes=0-1', ifRange: 'Sun, 29 Nov 2026 20:00:00 GMT' },
      { range: 'bytes=0-1', method: 'HEAD' },
    ]) {
      const { status, fields } = ask(conditions);
      assert.equal(status, 200, JSON.stringify(conditions));
      assert.equal(fields['content-length'], '15');
    }
    assert.equal(ask({ range: 'bytes=0-1', ifRange: TAG }).status, 206);
  });

  it('refuses a range beyond the end', () => {
    const { status, fields, sent } = ask({ range: 'bytes=15-' });
    assert.equal(status, 416);
    assert.equal(fields['content-range'], 'bytes */15');
    assert.equal(sent, undefined);
  });

  it('keeps answers to requests with credentials out of shared caches', () => {
    assert.equal(ask({ authorization: 'Bearer x' }).fields['cache-control'], undefined);
  });
});
