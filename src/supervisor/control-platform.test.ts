import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VersionId } from '../ids.ts';
import type { VersionCode } from '../model.ts';
import type { Cells } from './cells.ts';
import { type ControlPlatformDeps, SupervisedPlatform } from './control-platform.ts';
import { Cordons } from './cordons.ts';

const ID = '00000000-0000-4000-8000-000000000001' as VersionId;
const CODE = { spec: { id: ID, account: 'acme', worker: 'hello' } } as unknown as VersionCode;

/** Cells end under each of the first `losses` checks, in `onLoss`. Tells of the cordons that a check was tried in. */
function setUp(losses: number, onLoss: (platform: SupervisedPlatform) => void = () => {}) {
  const tried: string[] = [];
  const cells: Pick<Cells, 'pick'> = {
    pick: (cordon) => {
      const isLost = tried.push(cordon) <= losses;
      const check = () => {
        if (!isLost) return Promise.resolve({ ok: true });
        onLoss(platform);
        return Promise.reject(new Error('The channel is closed'));
      };
      return Promise.resolve({ check, lost: isLost, ended: Promise.resolve() }) as unknown as ReturnType<Cells['pick']>;
    },
  };
  const deps = { cells, cordons: new Cordons(() => []) } as unknown as ControlPlatformDeps;
  const platform = new SupervisedPlatform(deps);
  return { platform, tried };
}

describe('SupervisedPlatform.check()', () => {
  it('tries again in a cell of the account alone where nobody knows why the first one ended', async () => {
    const { platform, tried } = setUp(1);
    assert.equal((await platform.check(CODE)).ok, true);
    assert.deepEqual(tried, ['default', 'q.acme']);
  });

  it('gives up after two', async () => {
    const { platform, tried } = setUp(2);
    assert.equal((await platform.check(CODE)).ok, false);
    assert.deepEqual(tried, ['default', 'q.acme']);
  });

  it('does not try again what has cost a cell', async () => {
    const { platform, tried } = setUp(1, (platform) => platform.blameTrial(ID));
    assert.equal((await platform.check(CODE)).ok, false);
    assert.deepEqual(tried, ['default']);
    assert.equal(platform.blameTrial(ID), undefined);
  });
});
