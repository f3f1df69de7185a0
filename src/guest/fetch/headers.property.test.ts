import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random, RUNS, SEED } from '../testing/random.ts';
import { Headers } from './index.ts';

// Not `cookie`: Node joins its values with a semicolon, the standard with a comma.
const NAMES = ['a', 'A', 'x-b', 'X-B', 'set-cookie', 'Set-Cookie', 'content-type', 'accept', 'host', 'constructor'];
const BAD_NAMES = ['', 'a b', 'a:', '\u00e9', 'a\n', '(', '\u{1f600}', '__proto__'];
const VALUES = ['', '1', ' x ', '\t', 'a, b', 'a=b; c', '\u00ff', 'v'.repeat(20), '\r\n v\r\n'];
const BAD_VALUES = ['a\nb', '\0', '\u0100', '\u{1f600}', 'a\rb'];
const STEPS = 8;

const NativeHeaders = globalThis.Headers;
type AnyHeaders = InstanceType<typeof NativeHeaders>;

/** The kind of the error, or the answer. */
function attempt(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return (error as Error).name;
  }
}

function step(random: Random): { text: string; run: (headers: AnyHeaders) => unknown } {
  const name = random.chance(8) ? random.pick(BAD_NAMES) : random.pick(NAMES);
  const value = random.chance(8) ? random.pick(BAD_VALUES) : random.pick(VALUES);
  const text = (method: string): string => `${method}(${JSON.stringify(name)}, ${JSON.stringify(value)})`;
  switch (random.below(7)) {
    case 0:
    case 1:
      return { text: text('append'), run: (headers) => headers.append(name, value) };
    case 2:
      return { text: text('set'), run: (headers) => headers.set(name, value) };
    case 3:
      return { text: text('delete'), run: (headers) => headers.delete(name) };
    case 4:
      return { text: text('get'), run: (headers) => headers.get(name) };
    case 5:
      return { text: text('has'), run: (headers) => headers.has(name) };
    default:
      return { text: text('entries'), run: (headers) => [...headers].flat().join('\n') };
  }
}

describe('Headers, beside those of Node', () => {
  it(`do the same in ${RUNS} random programs (seed ${SEED})`, () => {
    const random = new Random(SEED);
    for (let run = 0; run < RUNS; run++) {
      const init = Array.from({ length: random.below(4) }, () => [random.pick(NAMES), random.pick(VALUES)] as const);
      const form = random.chance(50) ? Object.fromEntries(init) : init.map(([name, value]) => [name, value]);
      const ours = new Headers(form) as unknown as AnyHeaders;
      const theirs = new NativeHeaders(form as Record<string, string>);
      let program = `new Headers(${JSON.stringify(form)})`;
      for (let left = random.below(STEPS); left > 0; left--) {
        const { text, run: perform } = step(random);
        program += `.${text}`;
        assert.equal(
          attempt(() => perform(ours)),
          attempt(() => perform(theirs)),
          program,
        );
      }
      assert.deepEqual([...ours], [...theirs], program);
      assert.deepEqual(ours.getSetCookie(), theirs.getSetCookie(), program);
    }
  });
});
