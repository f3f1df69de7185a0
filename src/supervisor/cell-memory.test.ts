import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toCellMemory } from './cell-memory.ts';

const MIB = 1_048_576;

describe('toCellMemory()', () => {
  it('gives idle instances up before the process is ended, however little it may have', () => {
    for (const mib of [128, 260, 512, 4_096]) {
      const { memoryBudgetBytes, maxMemoryBytes } = toCellMemory({ cells: 1, cellMemoryBytes: mib * MIB });
      assert.equal(maxMemoryBytes, mib * MIB);
      assert.ok(memoryBudgetBytes >= 0.25 * maxMemoryBytes || memoryBudgetBytes >= 1_024 * MIB, `${memoryBudgetBytes}`);
      assert.ok(memoryBudgetBytes * 1.5 <= maxMemoryBytes, `${memoryBudgetBytes} of ${maxMemoryBytes}`);
    }
  });

  it('shares the machine among the cells when nothing is said', () => {
    const one = toCellMemory({ cells: 1 });
    const four = toCellMemory({ cells: 4 });
    assert.ok(Math.abs(one.memoryBudgetBytes - 4 * four.memoryBudgetBytes) < 4);
    assert.ok(one.maxMemoryBytes > one.memoryBudgetBytes);
  });
});
