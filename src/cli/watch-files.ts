/** Tells when one of a set of files changes. */
import { watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

// An editor saves in several steps (write, rename, attributes); all of them together are one change.
const SETTLE_MS = 20;

export interface FileWatch {
  /** Watches these files instead. */
  update(paths: readonly string[]): void;
  close(): void;
}

/**
 * Watches the folders rather than the files: many editors save by renaming a new file over the old one, which leaves a
 * watcher of the file itself with the deleted one.
 */
export function watchFiles(paths: readonly string[], onChange: () => void): FileWatch {
  const watchers = new Map<string, FSWatcher>();
  let names = new Map<string, Set<string>>();
  let timer: NodeJS.Timeout | undefined;

  const onEvent = (folder: string, name: string | null): void => {
    if (name !== null && names.get(folder)?.has(name) !== true) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, SETTLE_MS);
  };
  const update = (files: readonly string[]): void => {
    names = groupByFolder(files);
    for (const [folder, watcher] of watchers) {
      if (names.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of names.keys()) {
      if (watchers.has(folder)) continue;
      const watcher = watch(folder, (_event, name) => onEvent(folder, name));
      watcher.on('error', () => watchers.delete(folder)); // the folder is gone; the next bundle says what is missing
      watchers.set(folder, watcher);
    }
  };
  update(paths);
  return {
    update,
    close() {
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
    },
  };
}

function groupByFolder(paths: readonly string[]): Map<string, Set<string>> {
  const result = new Map<string, Set<string>>();
  for (const path of paths) {
    const folder = dirname(path);
    const names = result.get(folder) ?? new Set();
    names.add(basename(path));
    result.set(folder, names);
  }
  return result;
}
