/**
 * The command line: one file per command, each declaring its options, examples and `run`. Started by bin/isola.mjs.
 * Start at commands.ts for what there is, at options.ts for how a line is parsed; serve.ts is the command that matters most.
 */
import { setTimeout } from 'node:timers/promises';
import { CommandError } from './command-error.ts';
import { COMMANDS } from './commands.ts';
import { PlatformError } from '../errors.ts';
import { toCommandHelp, toGroupHelp, toOverview } from './help.ts';
import { chooseCommand, type Command, type CommandGroup, parseCommandLine, suggest, UsageError } from './options.ts';
import { paint, printError, printLine } from './terminal.ts';
import { readVersion, version } from './version.ts';

const FLUSH_MS = 2_000; // for whoever reads the output to take the rest of it

const exitCode = await main(process.argv.slice(2));
// A command is over when it says so: what it left open (idle sockets, a worker thread) must not keep the terminal.
await Promise.all([flush(process.stdout), flush(process.stderr)]);
process.exit(exitCode);

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  try {
    if (name === undefined || name === 'help' || isHelp(name)) return await showHelp(...rest);
    if (name === '--version' || name === '-v') return await version.run({}, []);
    const loaded = await loadCommand(name);
    if ('commands' in loaded && isHelp(rest[0])) return await showHelp(name);
    const { command, rest: args } = 'commands' in loaded ? chooseCommand(loaded, rest) : { command: loaded, rest };
    const { help, values, positionals } = parseCommandLine(command, args);
    if (help) {
      printLine(toCommandHelp(command));
      return 0;
    }
    return await command.run(values, positionals);
  } catch (error) {
    return report(error);
  }
}

/** Resolves when what was written has left the process, which into a pipe may take a while; or when nobody reads it. */
async function flush(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0) return;
  await Promise.race([new Promise((resolve) => stream.write('', resolve)), setTimeout(FLUSH_MS)]);
}

function isHelp(word: string | undefined): boolean {
  return word === '--help' || word === '-h';
}

async function showHelp(topic?: string, word?: string): Promise<number> {
  if (topic !== undefined && !topic.startsWith('-')) {
    const loaded = await loadCommand(topic);
    if (!('commands' in loaded)) printLine(toCommandHelp(loaded));
    else if (word === undefined || word.startsWith('-')) printLine(toGroupHelp(loaded));
    else printLine(toCommandHelp(chooseCommand(loaded, [word]).command));
    return 0;
  }
  const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
  printLine(toOverview(commands, readVersion()));
  return 0;
}

async function loadCommand(name: string): Promise<Command | CommandGroup> {
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load !== undefined) return await load();
  const guess = suggest(name, Object.keys(COMMANDS));
  const hint = guess === undefined ? `Commands: ${Object.keys(COMMANDS).join(', ')}` : `Did you mean isola ${guess}?`;
  throw new UsageError(`Unknown command '${name}'. ${hint}`);
}

/** A wrong command line is told in one line; anything else is ours, or the machine's, and needs its stack. */
function report(error: unknown): number {
  const label = paint('red', 'error', process.stderr);
  if (error instanceof UsageError) {
    printError(`${label}: ${error.message}`);
    return 2;
  }
  if (error instanceof CommandError || error instanceof PlatformError) {
    printError(`${label}: ${error.message}`);
    return 1;
  }
  printError(`${label}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return 1;
}
