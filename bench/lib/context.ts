/** What every measure gets: which peers to start, how thorough to be, where to write. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerName } from './report.ts';

export interface Context {
  readonly peers: ReadonlySet<PeerName>;
  /** Fewer and shorter rounds: to see that everything works, not to quote. */
  readonly quick: boolean;
  /** What the names of operations to be measured begin with. */
  readonly operations: readonly string[];
  /** Tells about progress. */
  log(text: string): void;
  /** A fresh folder, removed at the end of the bench. */
  folder(name: string): string;
}

const folders: string[] = [];

export function createContext(options: Pick<Context, 'peers' | 'quick' | 'operations'>): Context {
  return {
    ...options,
    log: (text) => void process.stderr.write(`  ${text}\n`),
    folder: (name) => {
      const path = mkdtempSync(join(tmpdir(), `isola-bench-${name}-`));
      folders.push(path);
      return path;
    },
  };
}

export function removeFolders(): void {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
}
