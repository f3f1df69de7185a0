import assert from 'node:assert/strict';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { watchFiles } from './watch-files.ts';

describe('watchFiles()', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isola-watch-'));
    await writeFile(join(folder, 'a.ts'), '1');
    await writeFile(join(folder, 'b.ts'), '1');
  });
  after(() => rm(folder, { recursive: true }));

  it('tells of a file written in place, and of one renamed over it, within 200 ms', async () => {
    let tell = (): void => {};
    const changed = (): Promise<void> => new Promise((resolve) => (tell = resolve));
    const watch = watchFiles([join(folder, 'a.ts')], () => tell());

    let change = changed();
    await writeFile(join(folder, 'a.ts'), '2');
    const startedAt = performance.now();
    await change;
    assert.ok(performance.now() - startedAt < 200);

    change = changed();
    await writeFile(join(folder, 'a.ts.tmp'), '3');
    await rename(join(folder, 'a.ts.tmp'), join(folder, 'a.ts'));
    await change;
    watch.close();
  });

  it('keeps quiet about other files, and follows an update', async () => {
    const seen: string[] = [];
    let tell = (): void => {};
    let current = 'a';
    const watch = watchFiles([join(folder, 'a.ts')], () => {
      seen.push(current);
      tell();
    });
    await writeFile(join(folder, 'b.ts'), '2'); // not watched yet
    watch.update([join(folder, 'b.ts')]);
    current = 'b';
    const change = new Promise<void>((resolve) => (tell = resolve));
    await writeFile(join(folder, 'b.ts'), '3');
    await change;
    assert.deepEqual(seen, ['b']);
    watch.close();
  });
});
