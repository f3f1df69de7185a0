import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openLocalExchange, type ExchangeEvents } from '../channel/index.ts';
import type { AccountId } from '../ids.ts';
import { serveCache } from './exchange.ts';
import { CacheStore } from './store.ts';

const A = 'a' as AccountId;
const KIB = 1024;
const URL = 'http://x/';
const NAMED = 'nfiles';

interface Outcome {
  /** 0: the exchange was reset. */
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

/** Asks, sends the body and reads the answer to its end; `read` false leaves the body where it is. */
function ask(store: CacheStore, head: string, { body = '', read = true } = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let status = 0;
    let answerHead = '';
    const finish = () => resolve({ status, head: answerHead, body: Buffer.concat(chunks) });
    const events: ExchangeEvents = {
      onResponse(code, text, first, fin) {
        status = code;
        answerHead = text;
        if (read) this.onData(first);
        if (fin || !read) finish();
      },
      onData(chunk) {
        if (!read) return;
        chunks.push(chunk);
        exchange.grant(chunk.byteLength);
      },
      onEnd: finish,
      onReset: finish,
    };
    const exchange = openLocalExchange(
      (answerer, text, first, fin) => serveCache(store, answerer, { account: A, head: text, body: first, fin }),
      head,
      undefined,
      { fin: body === '', events },
    );
    if (body === '') return;
    exchange.write(body);
    exchange.end();
  });
}

const put = (url: string, fields = '') => `put\n${url}\n\n${NAMED}\n\n200\nOK\n\n0${fields}`;
const match = (url: string) => `match\n${url}\n\n${NAMED}`;

describe('serveCache', () => {
  it('stores and gives back', async () => {
    const store = new CacheStore({ maxBytes: 1_000 * KIB, now: () => 0 });
    assert.equal((await ask(store, put(URL, '\nX-A\nb'), { body: 'hello' })).status, 204);
    const { status, head, body } = await ask(store, match(URL));
    assert.deepEqual([status, head, body.toString()], [200, '200\nOK\n\n0\nx-a\nb', 'hello']);
    assert.equal((await ask(store, match('http://y/'))).status, 404);
  });

  for (const head of [
    '',
    '\n\n\n\n\n',
    'fly\nhttp://x/\n\nd',
    'constructor\nhttp://x/\n\nd',
    'put',
    'put\nhttp://x/',
    'put\nhttp://x/\n\nd\n\nNaN\n\n\n0',
    'put\nhttp://x/\n\nd\n\n101\n\n\n0',
    'put\nhttp://x/\n\nd\n\n200\n\n\n0\nvary\n*',
    'put\nhttp://x/\n\nd\n\n200\n\n\n0\n__proto__\nx\ncache-control\nmax-age=1e999999',
    'put\nhttp://x/\n\nd\n\n200\n\n\n0\nage\n-1e308\nexpires\nnever\ndate\nnot a date\ncache-control\n,,=,="',
    'get\nNaN\n\nd',
    'get\n__proto__\n\nd',
    'match\n__proto__\nsvsvsv\n__proto__\nlonely',
    'find\n\n\n__proto__',
    'drop\n\n\n',
  ]) {
    it(`answers whatever it is asked: ${JSON.stringify(head)}`, async () => {
      const store = new CacheStore({ maxBytes: 1_000 * KIB, now: () => 0 });
      const { status } = await ask(store, head, { body: head.startsWith('put') ? 'body' : '' });
      assert.ok([0, 200, 204, 404, 413].includes(status), String(status));
      assert.equal((await ask(store, put(URL), { body: 'hello' })).status, 204);
      assert.equal((await ask(store, match(URL))).body.toString(), 'hello');
    });
  }

  it('counts what is being sent, although it has been replaced', async () => {
    const store = new CacheStore({ maxBytes: 1_000 * KIB, now: () => 0 });
    const body = 'x'.repeat(400 * KIB);
    assert.equal((await ask(store, put(URL), { body })).status, 204);
    const stalled = await ask(store, match(URL), { read: false });
    assert.equal(stalled.status, 200);
    assert.equal((await ask(store, put(URL), { body })).status, 204);
    assert.ok(store.bytes > 800 * KIB);
    const other = await ask(store, put('http://y/'), { body });
    assert.equal(other.status, 204);
    assert.ok(store.bytes <= 1_000 * KIB);
    assert.equal((await ask(store, match(URL))).status, 404);
  });

  it('lists what can be listed in a mebibyte', async () => {
    const store = new CacheStore({ maxBytes: 100_000 * KIB, now: () => 0 });
    for (let index = 0; index < 20; index++) {
      const long = 'v'.repeat(100 * KIB);
      await ask(store, `put\nhttp://x/${index}\n\n${NAMED}\nx-long\n${long}\n\n200\nOK\n\n0`);
    }
    const { status, body } = await ask(store, `find\n\n\n${NAMED}`);
    assert.equal(status, 200);
    assert.ok(body.length > 512 * KIB && body.length <= KIB * KIB);
  });
});
