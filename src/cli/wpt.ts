/** `isola wpt`: runs web-platform-tests, which is not part of this repository, against the platform. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';
import type { Command } from './options.ts';
import { runNode } from './run-node.ts';
import { ROOT } from './version.ts';

export const wpt: Command = {
  name: 'wpt',
  summary: 'Run web-platform-tests inside isolates and compare with what is expected (npm run wpt)',
  positionals: '[-- arguments of test/wpt/main.ts]',
  options: {},
  examples: [
    {
      line: 'isola wpt -- --dir ../wpt',
      does: 'All scored areas of a checkout, compared with test/wpt/expectations.json',
    },
    { line: 'isola wpt -- --help', does: 'What can be chosen' },
  ],
  run: async (_values, positionals) => {
    const main = join(ROOT, 'test', 'wpt', 'main.ts');
    if (!existsSync(main))
      throw new CommandError('Cannot run web-platform-tests: the runner is in the git checkout only');
    return await runNode([main, ...positionals]);
  },
};
