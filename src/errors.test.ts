import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ERROR_CODES } from './errors.ts';

const ROW = /^\| `(\w+)` *\| +(\d+) \| +(\d+) \| (.+?) +\| (.+?) +\|$/gm;

describe('docs/errors.md', () => {
  const rows = [...readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8').matchAll(ROW)];

  it('explains every code of ERROR_CODES and no other', () => {
    const documented = rows.map(([, name, code, status]) => [name, { code: Number(code), status: Number(status) }]);
    assert.deepEqual(Object.fromEntries(documented), ERROR_CODES);
    assert.equal(documented.length, Object.keys(ERROR_CODES).length);
  });

  it('gives each code once, in order', () => {
    const codes = rows.map(([, , code]) => Number(code));
    assert.deepEqual(
      codes,
      [...new Set(codes)].toSorted((a, b) => a - b),
    );
  });
});
