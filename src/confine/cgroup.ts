/**
 * Memory of cells held by the kernel: each cell in a control group of its own (version 2), which ends it at its cap, at
 * once. Takes root, or a folder that was handed over, and the memory controller; where that is not to be had, cells are
 * watched from outside alone (supervisor/cell-process.ts), which sees a cell five times a second.
 */
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
const PREFIX = 'isola.';

export class CellGroups {
  readonly #folder: string;
  #made = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Ready for cells; undefined where there is a `problem`. Leaves what others have there alone. */
  static open(root = ROOT, pid = process.pid): CellGroups | undefined {
    if (CellGroups.problem(root) !== undefined) return undefined;
    const folder = join(root, `${PREFIX}${pid}`);
    try {
      removeLeftovers(root);
      mkdirSync(folder);
      writeFileSync(join(folder, 'cgroup.subtree_control'), '+memory');
      return new CellGroups(folder);
    } catch {
      removeQuietly(folder);
      return undefined;
    }
  }

  /** Why cells here are only watched, if so. Makes nothing. */
  static problem(root = ROOT): string | undefined {
    try {
      const controllers = readFileSync(join(root, 'cgroup.subtree_control'), 'utf8').trim().split(/\s+/);
      if (!controllers.includes('memory')) return 'groups of version 2 have no memory controller here';
      accessSync(root, constants.W_OK);
      return undefined;
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' ? 'there are no control groups of version 2' : `${root} cannot be written (${code})`;
    }
  }

  /** For a cell that is about to start. Undefined when the kernel refuses: it is watched all the same. */
  create(maxBytes: number): CellGroup | undefined {
    const folder = join(this.#folder, `cell-${this.#made++}`);
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, 'memory.max'), String(maxBytes));
      return new CellGroup(folder);
    } catch {
      removeQuietly(folder);
      return undefined;
    }
  }

  /** When all cells have ended. */
  [Symbol.dispose](): void {
    removeWithGroups(this.#folder);
  }
}

export class CellGroup {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    // Some kernels have no swap to count.
    writeQuietly(join(folder, 'memory.swap.max'), '0');
    writeQuietly(join(folder, 'memory.oom.group'), '1');
  }

  /** Takes a process in; those that it starts later are in it, too. One that has ended is not missed. */
  add(pid: number | undefined): void {
    if (pid !== undefined) writeQuietly(join(this.#folder, 'cgroup.procs'), String(pid));
  }

  /** Whether the kernel has ended a process of it because of its cap. */
  get hasKilled(): boolean {
    try {
      const line = /^oom_kill (\d+)$/m.exec(readFileSync(join(this.#folder, 'memory.events'), 'utf8'));
      return Number(line?.[1] ?? 0) > 0;
    } catch {
      return false;
    }
  }

  /** When the processes in it have ended; where one is not quite gone yet, it goes with the rest. */
  [Symbol.dispose](): void {
    removeQuietly(this.#folder);
  }
}

/** Of supervisors that did not come to an end: groups without processes. One with processes cannot be removed. */
function removeLeftovers(root: string): void {
  for (const name of readdirSync(root)) {
    if (name.startsWith(PREFIX)) removeWithGroups(join(root, name));
  }
}

function removeWithGroups(folder: string): void {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeQuietly(join(folder, entry.name));
    }
  } catch {
    return; // it has gone
  }
  removeQuietly(folder);
}

/** A group has files that cannot be removed, and goes with them. */
function removeQuietly(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // not there, or in use
  }
}

function writeQuietly(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch {
    // as promised by the caller
  }
}
