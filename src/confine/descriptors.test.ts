import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';

const LEAKED_FD = 77; // far up: Node marks those that it inherits only as far as they follow one another

describe('closeOnExec()', () => {
  it('keeps a descriptor that was left open from children, and names what it is open to', async () => {
    const script = `
      import { closeOnExec } from '${import.meta.resolve('./descriptors.ts')}';
      import { spawnSync } from 'node:child_process';
      const list = () => spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' }).stdout.includes('/etc/hosts');
      const before = list();
      console.log(JSON.stringify([before, closeOnExec().find(({ fd }) => fd === ${LEAKED_FD}), list()]));`;
    const stdio: ('ignore' | 'pipe' | number)[] = Array<'ignore'>(LEAKED_FD + 1).fill('ignore');
    stdio[1] = 'pipe';
    stdio[LEAKED_FD] = openSync('/etc/hosts', 'r');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio });
    const output = await text(child.stdio[1] as NodeJS.ReadableStream);
    assert.deepEqual(JSON.parse(output), [true, { fd: LEAKED_FD, target: '/etc/hosts' }, false]);
  });
});
