import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WorkerKey } from '../control/index.ts';
import type { CellLost } from '../gateway/index.ts';
import type { AccountId, VersionId, WorkerName } from '../ids.ts';
import { CellLosses } from './cell-losses.ts';
import type { Quarantine } from './quarantine.ts';

const MINE = 'a version of its own' as VersionId;
const OWNER: WorkerKey = { account: 'acme' as AccountId, worker: 'bad' as WorkerName };
const PLACE = { id: 'c0', cordon: 'default', index: 0 };

function open() {
  const struck: WorkerKey[] = [];
  const told: CellLost[] = [];
  const losses = new CellLosses({
    quarantine: { strike: (worker: WorkerKey) => struck.push(worker) } as unknown as Quarantine,
    ownerOf: (cell, version) => (cell === 'c0' && version === MINE ? OWNER : undefined),
    tellGateway: (lost) => void told.push(lost),
    tell: async () => {},
    onError: (error) => {
      throw error;
    },
  });
  return { losses, struck, told };
}

describe('CellLosses', () => {
  it('blames the Worker whose entry it was, and tells what had been begun', async () => {
    const { losses, struck, told } = open();
    await losses.take(PLACE, { reason: 'exit code 137', suspect: { version: MINE, begun: 7 }, isOwnFault: true });
    assert.deepEqual([struck, told], [[OWNER], [{ id: 'c0', begun: 7 }]]);
  });

  it('blames nobody whose code the cell did not have, and nobody for what the cell was not to blame for', async () => {
    const { losses, struck, told } = open();
    const others = { version: 'of another cell' as VersionId, begun: 7 };
    await losses.take(PLACE, { reason: 'exit code 137', suspect: others, isOwnFault: true });
    await losses.take(PLACE, { reason: 'SIGKILL', suspect: { version: MINE, begun: 9 }, isOwnFault: false });
    await losses.take(PLACE, { reason: 'SIGKILL', suspect: undefined, isOwnFault: false });
    assert.deepEqual(struck, []);
    assert.deepEqual(
      told.map(({ begun }) => begun),
      [7, 9, undefined],
    );
  });
});
