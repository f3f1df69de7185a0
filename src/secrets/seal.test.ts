import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { seal, unseal, UnsealError } from './seal.ts';

const KEY = createSecretKey(randomBytes(32));
const CONTEXT = ['secret_text', 'main', 'hello', 'API_KEY'];
const contexts = fc.array(fc.string(), { maxLength: 5 });

describe('seal', () => {
  it('is undone by unseal, for any content and context', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6_000 }), contexts, (content, context) => {
        assert.deepEqual(new Uint8Array(unseal(KEY, seal(KEY, content, context), context)), content);
      }),
    );
  });

  it('opens in no other context, however that is put together', () => {
    fc.assert(
      fc.property(contexts, contexts, (context, other) => {
        fc.pre(JSON.stringify(context) !== JSON.stringify(other));
        assert.throws(() => unseal(KEY, seal(KEY, Buffer.from('x'), context), other), UnsealError);
      }),
    );
  });

  it('opens with no other key', () => {
    const sealed = seal(KEY, Buffer.from('x'), CONTEXT);
    assert.throws(() => unseal(createSecretKey(randomBytes(32)), sealed, CONTEXT), UnsealError);
  });

  it('does not open once a bit of it has changed, or a part is missing', () => {
    const bytes = Buffer.from(seal(KEY, Buffer.from('content'), CONTEXT), 'base64');
    for (let i = 0; i < bytes.byteLength * 8; i++) {
      const changed = Buffer.from(bytes);
      changed[i >> 3]! ^= 1 << (i & 7);
      assert.throws(() => unseal(KEY, changed.toString('base64'), CONTEXT), UnsealError, String(i));
    }
    for (let length = 0; length < bytes.byteLength; length++) {
      assert.throws(() => unseal(KEY, bytes.subarray(0, length).toString('base64'), CONTEXT), UnsealError);
    }
  });

  it('never gives the same twice', () => {
    const sealed = Array.from({ length: 1_000 }, () => seal(KEY, Buffer.from('x'), CONTEXT));
    assert.equal(new Set(sealed).size, 1_000);
  });

  it('says where a value was meant to be when it fails, and nothing of the value', () => {
    const sealed = seal(KEY, Buffer.from('canary'), CONTEXT);
    assert.throws(
      () => unseal(KEY, sealed, ['secret_text', 'main', 'other', 'API_KEY']),
      ({ message }: Error) => /main\/other\/API_KEY/.test(message) && !message.includes('canary'),
    );
  });
});
