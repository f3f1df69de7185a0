import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { discover } from './discover.ts';
import { type Expectation, type FileResult, findSurprises, toExpectation } from './expectations.ts';
import { ISOLATE, NODE } from './pool.ts';
import { toReport } from './report.ts';
import { runTests } from './run.ts';
import { WptServer } from './server.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

for (const [name, kind] of Object.entries({ isolate: ISOLATE, node: NODE })) {
  describe(`The runner of web-platform-tests, in ${name === 'node' ? 'Node' : 'isolates'}`, () => {
    const results = new Map<string, FileResult>();

    before(async () => {
      await using server = await WptServer.start(FIXTURES);
      const tests = (await discover(FIXTURES, [])).filter(({ id }) => name !== 'node' || !id.includes('memory'));
      const timeouts = { normal: 2_000, long: 60_000 };
      await runTests({
        tests,
        server,
        kind,
        jobs: 2,
        timeouts,
        onResult: (result) => void results.set(result.id, result),
      });
    });

    const failing = (id: string): [string, string][] => [...(results.get(`dom/abort/${id}`)?.failing ?? [])];

    it('runs each variant', () => {
      assert.equal(results.get('dom/abort/basics.any.js?first')?.total, 5);
      assert.deepEqual(failing('basics.any.js?first'), []);
      assert.deepEqual(failing('basics.any.js?second'), [['is the first variant', 'got ?second']]);
    });

    it('keeps strict mode', () => {
      assert.deepEqual(failing('strict.any.js'), []);
    });

    it('counts what befalls a file as one more test', () => {
      const [[test, message] = []] = failing('broken.any.js');
      assert.equal(test, '(file)');
      assert.match(message ?? '', /^error: .*Error: broken at the top level/s);
    });

    it('ends a file that hangs and keeps what it had told', () => {
      assert.deepEqual(failing('hangs.any.js'), [['never ends', 'timed out']]);
      assert.equal(results.get('dom/abort/hangs.any.js')?.total, 2);
    });

    it('leaves out what asks for a window', () => {
      assert.equal(results.has('dom/abort/window-only.any.js'), false);
    });

    it('goes on after a file that ends its isolate', { skip: name === 'node' }, () => {
      assert.deepEqual(failing('runs-out-of-memory.any.js'), [['(file)', 'crashed: exceededMemory']]);
    });
  });
}

describe('Expectations', () => {
  const result = (total: number, ...names: string[]): FileResult => ({
    id: 'a.any.js',
    total,
    failing: new Map(names.map((name) => [name, 'why'])),
  });
  const surprises = (given: FileResult, expectation: Expectation | undefined): string[] =>
    findSurprises(given, expectation).map(({ test, what }) => `${test} ${what}`);

  it('are met by the result that they were made of', () => {
    for (const given of [result(2), result(2, 'x'), result(2, 'x', 'y'), result(1, '(file)')]) {
      assert.deepEqual(surprises(given, toExpectation(given, undefined)), []);
    }
  });

  it('are broken by a failure, a pass and another number of tests', () => {
    assert.deepEqual(surprises(result(2, 'x'), 2), ['x failed: why']);
    assert.deepEqual(surprises(result(2), { total: 2, failing: ['x'] }), ['x passed, or is gone']);
    assert.deepEqual(surprises(result(2, 'x'), { total: 2, failing: 'all' }), ['(file) passed 1 that used to fail']);
    assert.deepEqual(surprises(result(3), 2), ['(file) has 3 tests, expected were 2']);
    assert.deepEqual(surprises(result(3), undefined), ['(file) is new: there is no expectation for it']);
  });

  it('leave flaky tests alone', () => {
    const expectation: Expectation = { total: 2, failing: [], flaky: ['x'] };
    assert.deepEqual(surprises(result(2), expectation), []);
    assert.deepEqual(surprises(result(2, 'x'), expectation), []);
    assert.deepEqual(toExpectation(result(2, 'x', 'y'), expectation), { total: 2, failing: ['y'], flaky: ['x'] });
  });
});

describe('The report', () => {
  it('has a row for each area and one for all', () => {
    const report = toReport(
      {
        'url/a.any.js': 3,
        'url/b.any.js': { total: 2, failing: ['x'] },
        'encoding/c.any.js': { total: 2, failing: 'all' },
      },
      { version: '26.0.0', areas: { url: { passes: 5, total: 5 } } },
    );
    assert.match(report, /^\| url +\| +4 \/ 5 \| +5 \/ 5 \|$/m);
    assert.match(report, /^\| encoding +\| +0 \/ 2 \| +\|$/m);
    assert.match(report, /^\| all +\| +4 \/ 7 \| +5 \/ 5 \|$/m);
  });
});
