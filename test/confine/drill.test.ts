/** The escape drill in short: every attempt behind every layer alone, of the tripwires two. `npm run drill` has all. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { ATTEMPTS } from './attempts.ts';
import { COLUMNS, columnsHere, EXPECTED, isStopped, mustStop, NEED_ROOT, runColumn, TRIPWIRES } from './drill.ts';
import { OWN_UID_NEEDS } from './own-uid.ts';

const isLinux = process.platform === 'linux';
const isRoot = process.getuid?.() === 0;
const here = isLinux ? columnsHere(canRunBubblewrap()) : [];
const TRIPWIRES_TRIED = 2; // each ends the intruder, and another has to be started

describe('the escape drill', () => {
  it('says of every attempt what stops it', () => {
    assert.deepEqual(Object.keys(EXPECTED).toSorted(), Object.keys(ATTEMPTS).toSorted());
    for (const name of TRIPWIRES) assert.ok(Object.hasOwn(ATTEMPTS, name), name);
    for (const [name, columns] of Object.entries(EXPECTED)) assert.ok(columns.length > 0, `${name}: nothing stops it`);
  });

  for (const column of COLUMNS) {
    const skip = here.includes(column)
      ? false
      : `NOT TESTED: needs ${column === 'uid' ? OWN_UID_NEEDS : 'bubblewrap (apt-get install bubblewrap)'}`;
    it(`behind ${column}: what it has to stop gets nowhere`, { skip }, async () => {
      const isFiltered = !['nothing', 'uid', 'permissions', 'room'].includes(column);
      const left = isFiltered ? new Set(TRIPWIRES.slice(TRIPWIRES_TRIED)) : new Set<string>();
      const outcomes = await runColumn(
        column,
        Object.keys(ATTEMPTS).filter((name) => !left.has(name)),
      );
      for (const [name, outcome] of outcomes) {
        if (mustStop(column, name)) assert.ok(isStopped(outcome), `${name} got through behind ${column}: ${outcome}`);
        if (column !== 'nothing' || (!isRoot && NEED_ROOT.includes(name))) continue;
        assert.ok(!isStopped(outcome), `${name} is no attempt: with no layer at all it ends with ${outcome}`);
      }
      if (!isFiltered) return;
      for (const name of TRIPWIRES.slice(0, TRIPWIRES_TRIED)) assert.equal(outcomes.get(name), 'killed', name);
    });
  }
});

function canRunBubblewrap(): boolean {
  try {
    execFileSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
