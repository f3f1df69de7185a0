import { totalmem } from 'node:os';

export interface CellMemory {
  /** What the instances of one cell may hold: beyond, idle ones are given up, least recently used first. */
  readonly memoryBudgetBytes: number;
  /** Resident memory at which its process is ended. */
  readonly maxMemoryBytes: number;
}

const SHARE_OF_MACHINE = 0.5; // for all instances of all cells together
const MARGIN = 1.5; // of the process over its instances: they are measured now and then, and what is freed goes back late
const BASE_BYTES = 128 * 1024 * 1024; // of a cell without instances: Node, the engine, spares
const LEAST_SHARE = 0.25; // of a process that is hardly larger than that

/** By what the operator has set, or by the memory of the machine. */
export function toCellMemory({
  cells,
  cellMemoryBytes,
}: {
  cells: number;
  cellMemoryBytes?: number | undefined;
}): CellMemory {
  const share = Math.floor((totalmem() * SHARE_OF_MACHINE) / cells);
  if (cellMemoryBytes === undefined) return { memoryBudgetBytes: share, maxMemoryBytes: share * MARGIN };
  // Idle instances have to go before the process does, and everything in it.
  const room = Math.max((cellMemoryBytes - BASE_BYTES) / MARGIN, cellMemoryBytes * LEAST_SHARE);
  return { memoryBudgetBytes: Math.floor(Math.min(room, share)), maxMemoryBytes: cellMemoryBytes };
}
