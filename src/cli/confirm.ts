import { createInterface } from 'node:readline/promises';
import { UsageError } from './options.ts';

/** Asks on the terminal; anything but `yes` or `y` is a no. Where nobody can answer it throws: scripts say `--yes`. */
export async function confirm(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError(`${question} Nobody can be asked here: add --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
