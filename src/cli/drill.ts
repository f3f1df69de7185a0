/** `isola drill`: the escape drill, which attacks cells from inside. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';
import type { Command } from './options.ts';
import { runNode } from './run-node.ts';
import { ROOT } from './version.ts';

export const drill: Command = {
  name: 'drill',
  summary: 'Attack cells from inside, as one who has broken out of V8, and see which layer stops what (npm run drill)',
  positionals: '[-- arguments of test/confine/main.ts]',
  options: {},
  examples: [
    { line: 'isola drill', does: 'Every attempt behind every layer alone, and behind all of them' },
    { line: 'isola drill -- --only room --only all', does: 'Some columns of the table' },
  ],
  run: async (_values, positionals) => {
    const main = join(ROOT, 'test', 'confine', 'main.ts');
    if (!existsSync(main)) throw new CommandError('Cannot run the escape drill: it is in the git checkout only');
    return await runNode([main, ...positionals]);
  },
};
