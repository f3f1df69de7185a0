import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, it, mock } from 'node:test';
import { startProgress, toLine } from './progress.ts';

describe('startProgress()', () => {
  it('shows nothing within the first second, then a bar, and clears it', (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
    const written: string[] = [];
    const stream = createTerminal(written);
    const progress = startProgress({ label: 'loading', total: 4, stream });
    progress.update(2, 'two');
    t.mock.timers.tick(800);
    assert.deepEqual(written, []);
    t.mock.timers.tick(400);
    assert.match(written.join(''), /loading █{12}░{12} 2\/4 1\.\d s two/);
    progress.stop();
    assert.equal(written.at(-1), '\r\u001b[2K');
  });

  it('writes nothing at all where there is no terminal', (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'Date'] });
    const write = mock.fn();
    const progress = startProgress({ label: 'loading', stream: { isTTY: false, write } });
    t.mock.timers.tick(5000);
    progress.stop();
    assert.equal(write.mock.callCount(), 0);
  });
});

describe('toLine()', () => {
  it('never wraps', () => {
    const line = { label: 'x'.repeat(50), done: 1, total: 2, detail: 'y'.repeat(50), elapsedMs: 65_000, columns: 60 };
    assert.equal(toLine(line).length, 59);
  });
});

function createTerminal(written: string[]): Writable & { isTTY: boolean } {
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      written.push(text);
      done();
    },
  });
  return Object.assign(stream, { isTTY: true, columns: 80 });
}
