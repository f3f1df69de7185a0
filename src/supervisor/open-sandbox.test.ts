import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_LAYERS, Sandbox } from '../confine/index.ts';
import { toWarning } from './open-sandbox.ts';

const SHARED_UID = { what: 'own uid', why: 'Permission denied', remedy: 'install isola where every user can read it' };

describe('toWarning()', () => {
  const room = new Sandbox('bubblewrap', NO_LAYERS);

  it('says nothing of a sandbox that has everything', () => {
    assert.equal(toWarning({ sandbox: room, missing: [] }, true), undefined);
  });

  it('tells root that its cells have its own id, and an ordinary user, whose they always have, nothing', () => {
    assert.equal(toWarning({ sandbox: room, missing: [SHARED_UID] }, false), undefined);
    assert.equal(
      toWarning({ sandbox: room, missing: [SHARED_UID] }, true),
      'Cells lack a layer of confinement. ' +
        'no own uid (Permission denied; to have it, install isola where every user can read it)',
    );
  });

  it('is loud where there is no sandbox', () => {
    const missing = [{ what: 'every layer', why: '--sandbox off', remedy: 'leave the option out' }];
    assert.match(
      toWarning({ sandbox: new Sandbox('off', NO_LAYERS), missing }, false) ?? '',
      /^CELLS ARE NOT CONFINED/,
    );
  });
});
