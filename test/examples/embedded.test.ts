import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { ROOT } from '../helpers/isola-process.ts';

describe('examples/embedded', () => {
  it('runs a Worker inside a program of its own, which ends by itself', async () => {
    const main = join(ROOT, 'examples', 'embedded', 'main.ts');
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-node-snapshot', main], { timeout: 60_000 });
    assert.match(stdout, /^200 \{"sum":5\}$/m);
    assert.match(stdout, /^adder: ok, \d+ µs of CPU$/m);
  });
});
