/**
 * The example of the article that describes this model ("Cloud Computing without Containers", 2018): 50 ms of CPU, $0.50
 * against $1.84 per million. docs/billing.md shows these figures and says where they come from.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { compareWith, parsePlanBook, toAmountText, toBill } from './index.ts';
import { type Plan, PlanSchema } from './plan.ts';
import { alike } from './testing.ts';

const MILLION = 1_000_000;
const book = parsePlanBook();

describe('A million requests of 50 ms of CPU', () => {
  it('cost $0.50 as a Worker of 2018 did', () => {
    assert.equal(cost(shipped('workers-2018'), { cpuMs: 50, wallMs: 50 }), '0.50');
  });

  it('cost $1.84 by duration where each is billed 100 ms of 1008 MB', () => {
    assert.equal(cost(shipped('lambda-2018-1008mb'), { cpuMs: 50, wallMs: 89 }), '1.84');
  });

  it('take 89 ms at 1008 MB, where a whole processor came with 1792 MB', () => {
    assert.equal(Math.ceil((50 * 1_792) / 1_008), 89);
  });

  it('cost $1.84 by duration at 1005 to 1010 MB and at no other size, if each is billed 100 ms', () => {
    const sizes = Array.from({ length: 3_008 }, (_, index) => index + 1);
    const found = sizes.filter((memoryMiB) => cost(sized({ memoryMiB }), { wallMs: 100 }) === '1.84');
    assert.deepEqual(found, [1_005, 1_006, 1_007, 1_008, 1_009, 1_010]);
  });

  it('cost $1.84 at 128 MB for 785 to 789 ms, which rounding up to 100 ms does not give', () => {
    const times = Array.from({ length: 2_000 }, (_, index) => index + 1);
    const at = (roundUpMs: 1 | 100): number[] =>
      times.filter((wallMs) => cost(sized({ memoryMiB: 128, roundUpMs }), { wallMs }) === '1.84');
    assert.deepEqual(at(1), [785, 786, 787, 788, 789]);
    assert.deepEqual(at(100), []);
  });

  it('cost less by duration where the smallest function takes no longer than a Worker', () => {
    assert.equal(cost(shipped('lambda-2018-128mb'), { cpuMs: 50, wallMs: 50 }), '0.41');
    assert.equal(cost(shipped('lambda-128mb'), { cpuMs: 50, wallMs: 50 }), '0.30');
    assert.equal(cost(shipped('standard'), { cpuMs: 50, wallMs: 50 }), '1.30');
  });

  it('cost what waiting makes of it: 500 ms on a subrequest beside 1 ms of CPU', () => {
    assert.equal(cost(shipped('standard'), { cpuMs: 1, wallMs: 501 }), '0.32');
    assert.equal(cost(shipped('lambda-128mb'), { cpuMs: 1, wallMs: 501 }), '1.24');
    assert.equal(cost(shipped('lambda-2018-128mb'), { cpuMs: 1, wallMs: 501 }), '1.45');
  });

  it('are computed in docs/billing.md as here', () => {
    const text = readFileSync(new URL('../../../docs/billing.md', import.meta.url), 'utf8');
    const totals = alike(MILLION, { cpuMs: 50, wallMs: 89 });
    const plans = ['workers-2018', 'lambda-2018-1008mb'].map((name) => ({ name, plan: shipped(name) }));
    for (const { name, formula } of compareWith(plans, totals))
      assert.ok(text.includes(`${name}: ${formula}`), formula);
  });
});

function shipped(name: string): Plan {
  const plan = book.get(name);
  assert.ok(plan !== undefined, name);
  return plan;
}

function sized(changes: { memoryMiB: number; roundUpMs?: 1 | 100 }): Plan {
  return PlanSchema.parse({ ...shipped('lambda-2018-128mb'), ...changes });
}

function cost(plan: Plan, each: { cpuMs?: number; wallMs?: number }): string {
  return toAmountText(toBill(plan, alike(MILLION, each)).total, plan.currency);
}
