/** Which files a cell sees, and where: Node, the libraries it is linked to, our code, and the packages that the cell imports. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';

/** What src/cell/ and src/engine/ import; a test compares. Packages that these need are found by their package.json. */
export const CELL_PACKAGES = ['cjs-module-lexer', 'es-module-lexer', 'isolated-vm', 'tr46', 'zod'];

const SOURCE = dirname(import.meta.dirname);
const ROOT = dirname(SOURCE);
const APP = '/app';

export interface VisibleFile {
  readonly from: string;
  /** Its path for the cell. */
  readonly to: string;
}

/** Of a cell that has a file system of its own. */
export const NODE_IN_SANDBOX = '/node';

/** Found once: they do not change while this process runs. */
let node: readonly VisibleFile[] | undefined;
let app: readonly VisibleFile[] | undefined;

/** A module of ours, by its path under src/: where it is, and where the cell finds it. */
export function locateSource(entry: string): VisibleFile {
  const from = join(SOURCE, entry);
  return { from, to: join(APP, relative(ROOT, from)) };
}

export function listNode(): readonly VisibleFile[] {
  return (node ??= [{ from: realpathSync(process.execPath), to: NODE_IN_SANDBOX }, ...listLibraries()]);
}

export function listApp(): readonly VisibleFile[] {
  if (app !== undefined) return app;
  const own = [SOURCE, join(ROOT, 'package.json')].map((from) => ({ from, to: join(APP, relative(ROOT, from)) }));
  return (app = [...own, ...listPackages()]);
}

/** What the dynamic linker has loaded for this very Node, the linker among it. */
function listLibraries(): VisibleFile[] {
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  report.excludeNetwork = true; // else it looks up the names of open connections
  const { sharedObjects } = report.getReport() as unknown as { sharedObjects: readonly string[] };
  // Addons of this process are no libraries: a cell finds its own among the packages.
  const libraries = sharedObjects.filter((path) => path.startsWith('/') && /\.so(\.\d+)*$/.test(path));
  return libraries.map((path) => ({ from: realpathSync(path), to: path }));
}

function listPackages(): VisibleFile[] {
  const found = new Map<string, string>();
  const add = (name: string, from: string): void => {
    if (found.has(name)) return;
    const folder = findPackage(name, from);
    found.set(name, folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(dependencies)) add(dependency, join(folder, 'package.json'));
  };
  for (const name of CELL_PACKAGES) add(name, import.meta.filename);
  return [...found].map(([name, from]) => ({ from, to: join(APP, 'node_modules', name) }));
}

/** Not by resolving its package.json: a package's exports may hide it. */
function findPackage(name: string, from: string): string {
  const folders = createRequire(from).resolve.paths(`${name}/`) ?? []; // the slash: some have the name of a built-in module
  const folder = folders.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')));
  if (folder === undefined) throw new Error(`Cannot confine a cell: the package ${name} is not installed`);
  return realpathSync(folder);
}
