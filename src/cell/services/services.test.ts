import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceError } from './service.ts';
import { Services, toErrorText } from './services.ts';

const MIB = 1024 * 1024;
const asker = { finished: false, cpuUs: 0 };

describe('Services', () => {
  it('refuse what is not there, in words a guest may see', async () => {
    const services = new Services({ memoryMiB: 1, wasmBinaryMiB: 1 });
    for (const operation of ['nothing.digest', '__proto__.digest', 'crypto', 'crypto.fly', '']) {
      await assert.rejects(services.ask(operation, '{}', undefined, asker), ServiceError, operation);
      assert.throws(() => services.askSync(operation, '{}', undefined), ServiceError, operation);
    }
  });

  it('refuse parameters that are too long to parse on this thread', async () => {
    const services = new Services({ memoryMiB: 1, wasmBinaryMiB: 1 });
    const text = JSON.stringify('a'.repeat(MIB));
    await assert.rejects(services.ask('crypto.digest', text, undefined, asker), RangeError);
    assert.throws(() => services.askSync('crypto.openDigest', text, undefined), RangeError);
  });

  it('count what they keep as memory of the instance, until it has gone', () => {
    const services = new Services({ memoryMiB: 1, wasmBinaryMiB: 1 });
    const { value } = services.askSync('crypto.openDigest', '"SHA-256"', undefined);
    assert.ok(services.heldBytes > 0);
    services.askSync('crypto.free', JSON.stringify(String(value)), undefined);
    assert.equal(services.heldBytes, 0);
    services.askSync('crypto.openDigest', '"SHA-256"', undefined);
    services.dispose();
    assert.equal(services.heldBytes, 0);
  });

  it('answer malformed arguments with an error, never with another key or bytes beyond the end', async () => {
    const services = new Services({ memoryMiB: 1, wasmBinaryMiB: 1 });
    const bytes = new Uint8Array(4);
    const attempts: unknown[] = [
      null,
      {},
      { args: [] },
      { args: { 0: { at: 0, bytes: 5 } } },
      { args: { 0: { at: -1, bytes: 1 } } },
      { args: { 0: { at: 0, bytes: '4' } } },
      { args: { 0: { key: 1 } } },
      { args: { 0: { key: 'constructor' } } },
      { args: { 0: { usages: 5 } } },
      { args: { 0: { jwk: 'text' } } },
      { args: { 0: { name: { name: { name: { name: 'deep' } } } } } },
      { args: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [i, 'a'])) },
    ];
    for (const attempt of attempts) {
      const text = JSON.stringify(attempt);
      await assert.rejects(services.ask('crypto.encrypt', text, bytes, asker), ServiceError, text);
    }
  });
});

describe('toErrorText', () => {
  it('gives the name and message of what is meant for a guest, shortened, and of nothing else', () => {
    assert.equal(toErrorText(new ServiceError('DataError', 'no key')), 'DataError\nno key');
    assert.equal(toErrorText(new DOMException('not now', 'OperationError')), 'OperationError\nnot now');
    assert.equal(toErrorText(new TypeError('a'.repeat(5_000))).length, 'TypeError\n'.length + 1_024);
    assert.equal(toErrorText(new Error('/etc/secret')), 'OperationError\nThe operation failed');
    assert.equal(toErrorText('text'), 'OperationError\nThe operation failed');
  });
});
