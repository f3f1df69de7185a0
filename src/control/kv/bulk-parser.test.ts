import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlatformError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import { BulkParser } from './bulk-parser.ts';

const ACCOUNT = 'main' as AccountId;
const NOW = Date.parse('2026-06-01');

const request = (body: unknown) => ({
  account: ACCOUNT,
  bytes: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
});

for (const [where, inlineBytes] of [
  ['here', Infinity],
  ['on a thread', 0],
] as const) {
  describe(`BulkParser, ${where}`, () => {
    const parser = new BulkParser({ inlineBytes });

    it('gives entries as the store takes them', async () => {
      const entries = await parser.put(
        request([
          { key: 'text', value: 'ü' },
          { key: 'bytes', value: 'AP8=', base64: true, metadata: { a: [1] }, expiration_ttl: 60 },
          { key: 'empty', value: '', base64: null, expiration: null },
        ]),
        NOW,
      );
      assert.deepEqual(
        entries.map(({ value, ...rest }) => ({ ...rest, value: Buffer.from(value).toString('hex') })),
        [
          { key: 'text', value: 'c3bc' },
          { key: 'bytes', value: '00ff', metadata: '{"a":[1]}', expiresAt: NOW / 1_000 + 60 },
          { key: 'empty', value: '' },
        ],
      );
      assert.deepEqual(await parser.keys(request(['a', 'b'])), ['a', 'b']);
    });

    it('names the first entry that is wrong', async () => {
      const cases: readonly (readonly [body: unknown, kind: string, message: RegExp])[] = [
        ['', 'badRequest', /it is not JSON/],
        ['[', 'badRequest', /it is not JSON/],
        ['['.repeat(1_000) + ']'.repeat(1_000), 'badRequest', /nested deeper than 100/],
        [{}, 'badRequest', /it is not an array/],
        [[{ key: 'a', value: 'b' }, { key: 1 }, 5], 'badRequest', /^Bad request body: 1\.key: /],
        [[{ key: '', value: 'b' }], 'badRequest', /Key name cannot be empty/],
        [[{ key: 'a', value: 'b', metadata: 'x'.repeat(1_100) }], 'kvLimit', /Metadata length of 1102 exceeds/],
        [Array.from({ length: 10_001 }, () => 1), 'badRequest', /10001 entries, limit is 10000/],
      ];
      for (const [body, kind, message] of cases) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const error = await parser.put(request(body), NOW).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.ok(error instanceof PlatformError, String(error));
        assert.equal(error.kind, kind);
        assert.match(error.message, message);
      }
      await assert.rejects(parser.keys(request([1])), /^PlatformError: Bad request body: 0: /);
    });
  });
}

describe('BulkParser', () => {
  it('gives up what exhausts its memory, and goes on with the next', async () => {
    const parser = new BulkParser({ inlineBytes: 0, maxHeapMiB: 32 });
    const large = parser.put(request(`[${'{"key":[[],[]]},'.repeat(500_000)}1]`), NOW);
    await assert.rejects(large, /takes too long, or too much memory/);
    assert.deepEqual(await parser.keys(request(['a'])), ['a']);
  });
});
