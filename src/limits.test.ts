import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as limits from './limits.ts';

const ROW = /^\| `([\w.]+)` *\| +([\d,]+) \| \w+ +\| .+ +\|$/gm;

describe('docs/limits.md', () => {
  it('gives every limit of limits.ts with its value, and no other', () => {
    const rows = [...readFileSync(new URL('../docs/limits.md', import.meta.url), 'utf8').matchAll(ROW)];
    const documented = rows.map(([, name, value]) => [name, Number(value!.replaceAll(',', ''))]);
    assert.deepEqual(Object.fromEntries(documented), flatten(limits));
    assert.equal(documented.length, Object.keys(flatten(limits)).length);
  });
});

/** `{ DEFAULT_LIMITS: { cpuMs: 50 } }` to `{ 'DEFAULT_LIMITS.cpuMs': 50 }`. */
function flatten(values: object): Record<string, number> {
  const entries = Object.entries(values).flatMap(([name, value]) =>
    typeof value === 'number'
      ? [[name, value] as const]
      : Object.entries(flatten(value as object)).map(([inner, number]) => [`${name}.${inner}`, number] as const),
  );
  return Object.fromEntries(entries);
}
