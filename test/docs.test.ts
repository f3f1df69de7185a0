import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { COMMANDS } from '../src/cli/commands.ts';
import { toCommandHelp } from '../src/cli/help.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
];
const LINK = /\]\(([^)\s]+)\)/g;
const FILE_NAME = /`((?:src|bench|docs)\/[\w./-]+)`/g;

describe('The documents', () => {
  for (const page of PAGES.filter((path) => path.endsWith('.md'))) {
    it(`${page} links to what is there`, () => {
      for (const [, link = ''] of read(page).matchAll(LINK)) {
        if (/^[a-z]+:/.test(link)) continue;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        assert.ok(existsSync(join(ROOT, target)), link);
        if (anchor !== undefined) assert.ok(headingsOf(target).includes(anchor), link);
      }
    });
  }

  it('docs/ARCHITECTURE.md starts changes at files that are there', () => {
    const table = read('docs/ARCHITECTURE.md').split('\n## To change X, start at Y\n')[1]?.split('\n## ')[0] ?? '';
    const names = [...table.matchAll(FILE_NAME)].map(([, name = '']) => name);
    assert.ok(names.length > 20);
    for (const name of names) assert.ok(existsSync(join(ROOT, name)), name);
  });

  it('docs/ARCHITECTURE.md has a main path of files and functions that are there', () => {
    const block = /```\n([\s\S]*?)```/.exec(read('docs/ARCHITECTURE.md'))?.[1] ?? '';
    const steps = [...block.matchAll(/^(\S+\.ts) +(.+?) +→/gm)];
    assert.ok(steps.length > 10);
    for (const [, file = '', names = ''] of steps) {
      const code = read(`src/${file}`);
      for (const name of names.split(/, |\./)) assert.ok(code.includes(name), `${name} in ${file}`);
    }
  });

  it('docs/cli.md shows what --help prints', async () => {
    const page = read('docs/cli.md');
    const loaded = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    for (const command of loaded.flatMap((one) => ('commands' in one ? one.commands : [one]))) {
      assert.ok(page.includes(`\`\`\`text\n${stripVTControlCharacters(toCommandHelp(command))}\n\`\`\``), command.name);
    }
  });

  it('README.md names every command', () => {
    const table = read('README.md').split('\n## Commands\n')[1]?.split('\n## ')[0] ?? '';
    const named = [...table.matchAll(/^\| `(\w+)` /gm)].map(([, name = '']) => name);
    assert.deepEqual(named.toSorted(), Object.keys(COMMANDS).toSorted());
  });
});

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Anchors as code hosts make them of headings. */
function headingsOf(page: string): string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
