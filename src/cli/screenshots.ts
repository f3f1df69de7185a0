/** `isola screenshots`: pictures of every page of the dashboard, to look at. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CHROMIUM_REMEDY, provideChromium } from './chromium.ts';
import { CommandError } from './command-error.ts';
import type { Command } from './options.ts';
import { runNode } from './run-node.ts';
import { ROOT } from './version.ts';

export const screenshots: Command = {
  name: 'screenshots',
  summary: 'Take pictures of the dashboard: light, dark, and 360 px wide (npm run screenshots)',
  positionals: '',
  options: {},
  examples: [{ line: 'isola screenshots', does: 'Into screenshots/ of the checkout' }],
  run: async () => {
    const main = join(ROOT, 'test', 'dashboard', 'screenshots.ts');
    if (!existsSync(main)) throw new CommandError('Cannot take pictures: what takes them is in the git checkout only');
    if (!provideChromium()) throw new CommandError(`Cannot take pictures: there is no chromium (${CHROMIUM_REMEDY})`);
    return await runNode([main]);
  },
};
