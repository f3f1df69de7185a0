import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { CELL_PACKAGES, listApp, listNode } from './files.ts';

const SOURCE = dirname(import.meta.dirname);
const IMPORT = /^(?:import|export)\s(?!type\b)(?:[^'";]*?from\s)?'([^']+)'/gm;
const WORKER = /new Worker\(new URL\('(\.[^']+)'/g;

describe('what a cell sees', () => {
  it('is every package that its code imports, and no other', () => {
    assert.deepEqual([...CELL_PACKAGES].toSorted(), [...packagesOf('cell/main.ts')].toSorted());
  });

  it('is there, each file under one path', () => {
    const files = [...listNode(), ...listApp()];
    for (const { from } of files) assert.ok(existsSync(from), from);
    assert.equal(new Set(files.map(({ to }) => to)).size, files.length);
  });

  it('is nothing of the operator: Node, its libraries, our source and packages', () => {
    for (const { to } of [...listNode(), ...listApp()])
      assert.match(to, /^(\/node|\/app\/(src|package\.json|node_modules\/.+)|\/.+\.so(\.\d+)*)$/);
  });
});

/** By following the imports of modules that run: types are gone by then. */
function packagesOf(entry: string): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, 'utf8');
    const specifiers = [...text.matchAll(IMPORT), ...text.matchAll(WORKER)].map(([, specifier = '']) => specifier);
    for (const specifier of specifiers) {
      if (specifier.startsWith('.')) visit(resolve(dirname(path), specifier));
      else if (!isBuiltin(specifier)) packages.add(specifier.split('/')[0] ?? specifier);
    }
  };
  visit(join(SOURCE, entry));
  return packages;
}
