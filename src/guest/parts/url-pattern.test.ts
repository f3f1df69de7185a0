import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { createGuest, type TestGuest } from '../testing/guest.ts';

describe('URLPattern', () => {
  let guest: TestGuest | undefined;
  const evaluate = async (expression: string): Promise<unknown> => {
    guest ??= await createGuest('export default { fetch() {} }');
    return JSON.parse(guest.evaluate(`JSON.stringify(${expression})`));
  };
  after(() => guest?.dispose());

  it('matches paths with groups, wildcards and a base', async () => {
    assert.deepEqual(
      await evaluate(
        `new URLPattern({ pathname: '/users/:id/*' }).exec('http://a.example/users/7/x/y').pathname.groups`,
      ),
      { '0': 'x/y', id: '7' },
    );
    assert.equal(
      await evaluate(`new URLPattern('/a/:b(\\\\d+)', 'http://a.example').test('http://a.example/a/x')`),
      false,
    );
    assert.equal(await evaluate(`new URLPattern('/a/:b(\\\\d+)', 'http://a.example').hasRegExpGroups`), true);
    assert.equal(
      await evaluate(`new URLPattern({ pathname: '/A' }, { ignoreCase: true }).test({ pathname: '/a' })`),
      true,
    );
  });

  it('uses the platform URL, whatever is on the global', async () => {
    const patched = `(() => {
      const { URL } = globalThis;
      globalThis.URL = class { constructor() { throw new Error('patched') } };
      try { return new URLPattern({ hostname: 'B.Example', pathname: '/ a' }) } finally { globalThis.URL = URL }
    })()`;
    assert.equal(await evaluate(`${patched}.hostname + ${patched}.pathname`), 'b.example/%20a');
  });

  it('is an interface as Web IDL has it', async () => {
    assert.equal(await evaluate(`Object.prototype.toString.call(new URLPattern())`), '[object URLPattern]');
    assert.deepEqual(await evaluate(`[URLPattern.name, URLPattern.length]`), ['URLPattern', 0]);
    assert.equal(await evaluate(`Object.keys(globalThis).includes('URLPattern')`), false);
    assert.throws(() => guest?.evaluate(`new URLPattern('(')`), TypeError);
  });
});
