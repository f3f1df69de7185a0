import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LastWords } from './last-words.ts';

const ID = '0123abcd-0000-4000-8000-00000000beef';

describe('LastWords', () => {
  it('suspects the entry that runs long, until it ends', () => {
    const words = new LastWords();
    assert.equal(words.take(JSON.stringify({ watch: 'long', runner: 0, version: ID, begun: 7 })), true);
    assert.deepEqual(words.suspect, { version: ID, begun: 7 });
    words.take('{"watch":"short","runner":0}');
    assert.equal(words.suspect, undefined);
    assert.equal(words.hasGivenUp, false);
  });

  it('suspects above all the one that could not be ended', () => {
    const words = new LastWords();
    words.take(JSON.stringify({ watch: 'stuck', runner: 1, version: ID }));
    words.take(JSON.stringify({ watch: 'long', runner: 0, version: ID, begun: 7 }));
    assert.deepEqual([words.suspect, words.hasGivenUp], [{ version: ID, begun: undefined }, true]);
  });

  it('believes nothing else', () => {
    const words = new LastWords();
    for (const line of ['', 'a warning', '{"watch":', '{"watch":"x"}x']) assert.equal(words.take(line), false);
    words.take('{"watch":"stuck","version":"../../etc","begun":1e99}');
    assert.deepEqual(words.suspect, { version: undefined, begun: undefined });
  });
});
