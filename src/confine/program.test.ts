import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Launch, tryLaunch } from './program.ts';

const launch = (args: readonly string[], command = process.execPath): Launch => ({
  command,
  args,
  env: {},
  feeds: [],
  hasStatus: false,
});

describe('tryLaunch()', () => {
  it('says why a process did not do well, and never throws', async () => {
    assert.equal(await tryLaunch(launch(['-e', ''])), undefined);
    assert.match((await tryLaunch(launch(['-e', 'process.exit(3)']))) ?? '', /code 3/);
    assert.match((await tryLaunch(launch([], '/nowhere/at/all'))) ?? '', /ENOENT/);
    // Node throws some errors of spawn() instead of telling them by an event, as for a uid of no user namespace.
    assert.match((await tryLaunch(launch(['x'.repeat(3_000_000)]))) ?? '', /E2BIG/);
  });
});
