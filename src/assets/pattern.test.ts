import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Glob, MatchBudget, Pattern, substitute } from './pattern.ts';

function match(pattern: string, text: string): Record<string, string> | undefined {
  const captures = new Pattern(pattern).match(text, new MatchBudget());
  return captures && Object.fromEntries(captures);
}

describe('Pattern', () => {
  it('takes characters as a regular expression would', () => {
    assert.deepEqual(match('/a', '/a'), {});
    assert.equal(match('/a', '/ab'), undefined);
    assert.equal(match('/a', '/b/a'), undefined);
    assert.deepEqual(match('/*', '/a/b'), { splat: 'a/b' });
    assert.deepEqual(match('/*', '/'), { splat: '' });
    assert.deepEqual(match('/*/end', '/a/end/b/end'), { splat: 'a/end/b' });
    assert.deepEqual(match('/:x', '/a.b'), { x: 'a.b' });
    assert.equal(match('/:x', '/'), undefined);
    assert.equal(match('/:x', '/a/b'), undefined);
    assert.deepEqual(match('/:a-:b', '/1-2-3'), { a: '1-2', b: '3' });
    assert.deepEqual(match('/:a:b', '/123'), { a: '12', b: '3' });
    assert.deepEqual(match('/:id/:id2.html', '/1/2.html'), { id: '1', id2: '2' });
    assert.deepEqual(match('/:a/*', '/1/2/3'), { a: '1', splat: '2/3' });
    assert.deepEqual(match('https://:sub.x.test/*', 'https://www.x.test/p'), { sub: 'www', splat: 'p' });
    assert.equal(match('https://:sub.x.test/*', 'https://a.b.x.test/p'), undefined);
    assert.deepEqual(match('/a+(b)', '/a+(b)'), {});
  });

  it('throws for names that are there twice', () => {
    assert.throws(() => new Pattern('/:a/:a'), SyntaxError);
    assert.throws(() => new Pattern('/*/*'), SyntaxError);
    assert.throws(() => new Pattern('/*/:splat'), SyntaxError);
  });

  it('gives up rather than take long', () => {
    const names = Array.from({ length: 26 }, (_, i) => `:${String.fromCodePoint(97 + i)}`);
    for (const separator of ['', '-']) {
      const pattern = new Pattern(`/${names.join(separator)}!`);
      const start = performance.now();
      for (let i = 0; i < 50; i++) {
        assert.equal(pattern.match(`/${'-'.repeat(16_000)}`, new MatchBudget()), undefined);
      }
      assert.ok(performance.now() - start < 2_000);
    }
  });
});

describe('Glob', () => {
  it('takes any characters for a star', () => {
    const test = (glob: string, text: string) => new Glob(glob).test(text, new MatchBudget());
    assert.equal(test('/api/*', '/api/'), true);
    assert.equal(test('/api/*', '/api'), false);
    assert.equal(test('/*/x/*', '/a/x/b'), true);
    assert.equal(test('/**', '/a'), true);
    assert.equal(test('/:a', '/b'), false);
    assert.equal(test('/:a', '/:a'), true);
  });
});

describe('substitute', () => {
  it('puts in what was captured, once', () => {
    const captures = new Map([
      ['a', ':b'],
      ['b', '2'],
    ]);
    assert.equal(substitute('/:a/:b/:c', captures), '/:b/2/:c');
  });
});
