import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withoutRuntime } from './own-frames.ts';

describe('withoutRuntime()', () => {
  const CASES: readonly (readonly [what: string, from: string, to: string])[] = [
    [
      'frames of the runtime',
      'Error\n    at f (a.js:1:2)\n    at g (isola:guest:4:2)\n    at isola:boot:1:1',
      'Error\n    at f (a.js:1:2)',
    ],
    [
      'frames of its parts',
      'Error\n    at a.js:1:2\n    at async g (isola:guest/web-crypto:4:2)',
      'Error\n    at a.js:1:2',
    ],
    [
      'none of what follows them in a value',
      '[\n  Error\n      at a.js:1:2\n      at g (isola:guest:4:2) {\n    code: 5\n  },\n  Error\n      at isola:guest:1:1,\n  1\n]',
      '[\n  Error\n      at a.js:1:2 {\n    code: 5\n  },\n  Error,\n  1\n]',
    ],
    ['nothing else', 'isola:guest:1:1 is a place\nat isola:', 'isola:guest:1:1 is a place\nat isola:'],
  ];
  for (const [what, from, to] of CASES) {
    it(`takes out ${what}`, () => assert.equal(withoutRuntime(from), to));
  }

  it('takes its time from nobody', () => {
    const startedAt = performance.now();
    for (const text of [
      `isola:${'\n    at ('.repeat(8_000)}`,
      `\n    at ${'('.repeat(60_000)}isola:guest`,
      `isola:\n${' '.repeat(60_000)}at`,
    ]) {
      withoutRuntime(text);
    }
    assert.ok(performance.now() - startedAt < 200);
  });
});
