/** A Wrangler configuration file as a value: JSON with comments, or TOML. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parse as parseToml } from 'smol-toml';
import { CommandError } from './command-error.ts';

/** In the order in which wrangler prefers them. */
const NAMES = ['wrangler.json', 'wrangler.jsonc', 'wrangler.toml'];

/** The configuration nearest to a folder: in it, or above. */
export function findConfig(folder: string): string | undefined {
  const found = NAMES.map((name) => join(folder, name)).find((path) => existsSync(path));
  if (found !== undefined) return found;
  const parent = dirname(folder);
  return parent === folder ? undefined : findConfig(parent);
}

/** Throws CommandError that names the file, with the position when it is malformed. */
export async function readConfigFile(path: string): Promise<unknown> {
  try {
    const text = await readFile(path, 'utf8');
    return path.endsWith('.toml') ? parseToml(text) : (JSON.parse(stripJsonComments(text)) as unknown);
  } catch (error) {
    throw new CommandError(`Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** JSON with comments and trailing commas to JSON. Texts keep their line numbers, so that errors point to the source. */
export function stripJsonComments(text: string): string {
  const comment = String.raw`\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\/`;
  const tokens = new RegExp(String.raw`"(?:[^"\\]|\\.)*"|${comment}|,(?=(?:\s|${comment})*[}\]])`, 'g');
  return text.replace(tokens, (token) => (token.startsWith('"') ? token : token.replace(/[^\n]/g, ' ')));
}
