/** `isola bench`: runs the benchmarks of a checkout, which tell what they measure themselves. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from './command-error.ts';
import type { Command } from './options.ts';
import { runNode } from './run-node.ts';
import { ROOT } from './version.ts';

export const bench: Command = {
  name: 'bench',
  summary: 'Measure cold starts, memory, throughput and limits on this machine (npm run bench)',
  positionals: '[-- arguments of bench/main.ts]',
  options: {},
  examples: [
    { line: 'isola bench', does: 'Every benchmark, with a table at the end' },
    { line: 'isola bench -- --help', does: 'What can be chosen' },
  ],
  run: async (_values, positionals) => {
    const main = join(ROOT, 'bench', 'main.ts');
    if (!existsSync(main)) throw new CommandError('Cannot run the benchmarks: bench/ is in the git checkout only');
    return await runNode([main, ...positionals]);
  },
};
