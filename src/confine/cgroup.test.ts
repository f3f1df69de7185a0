import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CellGroups } from './cgroup.ts';

const PID = 4_711;

/** A folder with the files that the kernel makes. What it does with them takes a machine that has such groups. */
describe('CellGroups', () => {
  let root = '';
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'isola-cgroup-'));
    writeFileSync(join(root, 'cgroup.subtree_control'), 'cpu io memory pids\n');
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('caps each cell in a group of its own, with whatever its process starts', () => {
    const groups = CellGroups.open(root, PID);
    assert.equal(read(`isola.${PID}/cgroup.subtree_control`), '+memory');
    const [first, second] = [groups?.create(1_000_000), groups?.create(2_000_000)];
    first?.add(17);
    first?.add(undefined);
    assert.equal(read(`isola.${PID}/cell-0/memory.max`), '1000000');
    assert.equal(read(`isola.${PID}/cell-0/cgroup.procs`), '17');
    assert.equal(read(`isola.${PID}/cell-0/memory.swap.max`), '0');
    assert.equal(read(`isola.${PID}/cell-1/memory.max`), '2000000');
    assert.ok(second !== undefined && !existsSync(join(root, `isola.${PID}/cell-1/cgroup.procs`)));
  });

  it('tells of a cell that the kernel has ended', () => {
    const group = CellGroups.open(root, PID)?.create(1_000_000);
    assert.equal(group?.hasKilled, false);
    const events = join(root, `isola.${PID}/cell-0/memory.events`);
    writeFileSync(events, 'low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n');
    assert.equal(group?.hasKilled, false);
    writeFileSync(events, 'low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 1\n');
    assert.equal(group?.hasKilled, true);
  });

  it('removes what an earlier supervisor left, and nothing of others', () => {
    for (const folder of ['isola.1/cell-0', 'isola.1/cell-1', 'system.slice']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    using groups = CellGroups.open(root, PID);
    assert.ok(groups !== undefined);
    assert.deepEqual([existsSync(join(root, 'isola.1')), existsSync(join(root, 'system.slice'))], [false, true]);
  });

  it('is not there without the controller, or without groups: and says why', () => {
    writeFileSync(join(root, 'cgroup.subtree_control'), 'cpu io\n');
    assert.equal(CellGroups.open(root, PID), undefined);
    assert.equal(CellGroups.problem(root), 'groups of version 2 have no memory controller here');
    const nowhere = join(root, 'nowhere');
    assert.equal(CellGroups.open(nowhere, PID), undefined);
    assert.equal(CellGroups.problem(nowhere), 'there are no control groups of version 2');
  });
});
