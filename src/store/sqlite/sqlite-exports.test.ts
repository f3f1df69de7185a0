import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { exportsContract } from '../exports-contract.ts';
import { openSqliteExports } from './sqlite-exports.ts';

const dir = mkdtempSync(join(tmpdir(), 'isola-exports-'));
after(() => rmSync(dir, { recursive: true, force: true }));
let files = 0;

exportsContract('SqliteExports', () => {
  const path = join(dir, `${++files}.sqlite`);
  return { exports: openSqliteExports(path), reopen: async () => openSqliteExports(path) };
});
