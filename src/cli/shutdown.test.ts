import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';

// In a process of its own: signals go to processes. `clock` stands for the time between two signals.
const SCRIPT = `
  import { untilStopped } from ${JSON.stringify(join(import.meta.dirname, 'shutdown.ts'))};
  let clock = 0;
  process.on('SIGUSR2', () => { clock += 10_000; console.log('later'); });
  const stopped = untilStopped(() => clock);
  process.on('SIGINT', () => console.log('seen'));
  setInterval(() => {}, 1000);
  console.log('listening');
  console.log(await stopped);
`;

it('untilStopped() takes a signal passed on twice for one, and ends at once at a later one', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);

  assert.equal(await next(), 'listening');
  child.kill('SIGINT');
  assert.equal(await next(), 'seen');
  assert.equal(await next(), 'SIGINT');
  child.kill('SIGINT'); // the same Ctrl-C, by way of the launcher
  assert.equal(await next(), 'seen'); // two signals at once may arrive in any order
  child.kill('SIGUSR2');
  assert.equal(await next(), 'later', 'still there');
  child.kill('SIGTERM');
  assert.deepEqual(await exited, [143, null]);
});
