/** `isola attack`: Workers that attack a platform of their own; tells which of them came through. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';
import type { Command } from './options.ts';
import { runNode } from './run-node.ts';
import { ROOT } from './version.ts';

export const attack: Command = {
  name: 'attack',
  summary: 'Run Workers that attack the platform beside others that must not notice (npm run attack)',
  positionals: '[-- arguments of test/attack/main.ts]',
  options: {},
  examples: [
    { line: 'isola attack', does: 'All of them, one after the other, with a summary at the end' },
    { line: 'isola attack -- --help', does: 'What can be chosen' },
  ],
  run: async (_values, positionals) => {
    const main = join(ROOT, 'test', 'attack', 'main.ts');
    if (!existsSync(main)) throw new CommandError('Cannot attack: the attacks are in the git checkout only');
    return await runNode([main, ...positionals]);
  },
};
