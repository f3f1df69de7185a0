/** Which imports become modules of their own, and of which kind: `rules` of the configuration. */
import { readdir } from 'node:fs/promises';
import { join, matchesGlob, relative, sep } from 'node:path';
import type { ModuleKind } from '../model.ts';
import type { ModuleRule } from './config-schema.ts';

const DEFAULT_RULES: readonly ModuleRule[] = [
  { type: 'Text', globs: ['**/*.txt', '**/*.html', '**/*.sql'] },
  { type: 'Data', globs: ['**/*.bin'] },
  { type: 'CompiledWasm', globs: ['**/*.wasm', '**/*.wasm?module'] },
];

const KINDS: Readonly<Record<ModuleRule['type'], ModuleKind>> = {
  ESModule: 'esm',
  CommonJS: 'cjs',
  CompiledWasm: 'wasm',
  Text: 'text',
  Data: 'data',
};

const SKIPPED_FOLDERS = new Set(['node_modules', '.git', '.wrangler']);

/** The kind of a file that the rules make a module; undefined for the others. */
export type KindOf = (path: string) => ModuleKind | undefined;

/** The project's rules come first. A rule ends the list for its type unless it says `fallthrough`. */
export function createKindOf(rules: readonly ModuleRule[] = []): KindOf {
  const active = toActive(rules);
  return (path) => {
    // A glob speaks of the path within the project, an import begins with ./ or ../.
    const rule = active.find(({ globs }) =>
      globs.some((glob) => matchesGlob(path.replace(/^(?:\.{1,2}\/)+/, ''), glob)),
    );
    return rule === undefined ? undefined : KINDS[rule.type];
  };
}

/** Passes every import that a rule may concern, and few others: the plugin behind it costs a round trip for each. */
export function toImportFilter(rules: readonly ModuleRule[] = []): RegExp {
  const endings = toActive(rules).flatMap(({ globs }) =>
    globs.map((glob) => /\*(\.\w+)(?:\?module)?$/.exec(glob)?.[1]),
  );
  if (endings.includes(undefined)) return /./;
  return new RegExp(`(?:${endings.map((ending) => RegExp.escape(ending ?? '')).join('|')})(?:\\?module)?$`);
}

function toActive(rules: readonly ModuleRule[]): readonly ModuleRule[] {
  const closed = new Set<string>();
  return [...rules, ...DEFAULT_RULES].filter(({ type, fallthrough }) => {
    if (closed.has(type)) return false;
    if (fallthrough !== true) closed.add(type);
    return true;
  });
}

export interface FoundModule {
  /** Relative to the folder, with `/`. */
  readonly name: string;
  readonly kind: ModuleKind;
  readonly path: string;
}

/** The files below a folder that the rules make modules, but for those in node_modules. */
export async function findModules(folder: string, kindOf: KindOf): Promise<FoundModule[]> {
  const found: FoundModule[] = [];
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const child = join(path, entry.name);
      // oxlint-disable-next-line no-await-in-loop -- one order, whatever the disk does
      if (entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name)) await walk(child);
      if (!entry.isFile()) continue;
      const name = relative(folder, child).split(sep).join('/');
      const kind = kindOf(name);
      if (kind !== undefined) found.push({ name, kind, path: child });
    }
  };
  await walk(folder);
  return found;
}
