import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openLocalExchange } from '../channel/index.ts';
import type { AccountId, WorkerName } from '../ids.ts';
import { parseResourceHead, type ResourceQuestion, serveResource, toResourceHead } from './resources.ts';

const QUESTION: ResourceQuestion = {
  kind: 'kv',
  id: '0f2ac74b498b48028cb68387c421e279',
  account: 'acme' as AccountId,
  worker: 'shop' as WorkerName,
  ray: '6b9e0a7c1d2f3a45',
  head: 'get\n"key"\n\n',
};

describe('parseResourceHead', () => {
  it('gives what toResourceHead was given', () => {
    assert.deepEqual(parseResourceHead(toResourceHead(QUESTION)), QUESTION);
    const cache = { ...QUESTION, kind: 'cache', id: '', head: '' } as const;
    assert.deepEqual(parseResourceHead(toResourceHead(cache)), cache);
  });

  it('is undefined for a fetch', () => {
    assert.equal(parseResourceHead('acme\nshop\n6b9e0a7c1d2f3a45\nGET\nhttp://x/\nfollow'), undefined);
    assert.equal(parseResourceHead(''), undefined);
  });

  for (const head of ['\n', '\nkv\nacme\nshop\nray\nid', '\n\nacme\nshop\nray\nid\n', '\n__proto__\na\nb\nc\nd\ne']) {
    it(`throws for ${JSON.stringify(head)}`, () => {
      assert.throws(() => parseResourceHead(head), /malformed/);
    });
  }
});

describe('serveResource', () => {
  it('resets a question that nothing here answers', async () => {
    let ended = 0;
    const reason = await new Promise((resolve) => {
      openLocalExchange(
        (exchange, _head, body, fin) =>
          serveResource({}, exchange, { ...QUESTION, body, fin, onEnd: () => void ended++ }),
        '',
        undefined,
        { fin: true, events: { onData() {}, onEnd() {}, onReset: (_, text) => resolve(text) } },
      );
    });
    assert.deepEqual([reason, ended], ['There is nothing here that answers for kv.', 1]);
  });
});
