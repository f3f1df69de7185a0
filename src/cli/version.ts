/** The version of this program, from its package.json. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { defineCommand } from './options.ts';
import { printLine } from './terminal.ts';

/** The folder of package.json: the checkout, or the installed package (where this file is dist/cli/version.js). */
export const ROOT = findRoot(import.meta.dirname);

export function readVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return version;
}

export const version = defineCommand({
  name: 'version',
  summary: 'Show the version of isola, Node and V8',
  positionals: '',
  options: {},
  examples: [{ line: 'isola version', does: 'Shows what to write in a bug report' }],
  run: () => {
    printLine(`isola ${readVersion()} (node ${process.versions.node}, v8 ${process.versions.v8})`);
    return Promise.resolve(0);
  },
});

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  return findRoot(dirname(from));
}
