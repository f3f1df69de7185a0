/** What `--help` prints: made from the commands' declarations, so that it cannot lag behind them. */
import type { Command, CommandGroup, Option } from './options.ts';
import { paint } from './terminal.ts';

/** `isola --help`. */
export function toOverview(commands: readonly (Command | CommandGroup)[], version: string): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  return [
    `isola ${version}: a self-hosted, multi-tenant serverless platform on V8 isolates`,
    '',
    paint('bold', 'Usage'),
    '  isola <command> [options]',
    '',
    paint('bold', 'Commands'),
    ...commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`),
    '',
    paint('bold', 'Examples'),
    '  isola start                 the platform with the example Workers, ready to curl',
    '  isola dev worker.ts         one Worker on this machine, reloaded as you save it',
    '',
    'isola <command> --help tells about one command.',
  ].join('\n');
}

/** `isola <group> --help`. */
export function toGroupHelp({ name, summary, commands }: CommandGroup): string {
  const usages = commands.map((command) => `isola ${command.name} ${command.positionals}`.trimEnd());
  const width = Math.max(...usages.map((usage) => usage.length));
  return [
    summary,
    '',
    paint('bold', 'Commands'),
    ...commands.map((command, index) => `  ${usages[index]!.padEnd(width)}  ${command.summary}`),
    '',
    `isola ${name} <command> --help tells about one command.`,
  ].join('\n');
}

/** `isola <command> --help`. */
export function toCommandHelp(command: Command): string {
  const rows = Object.entries({ ...command.options, help: HELP_OPTION }).map(
    ([name, option]) => [toFlag(name, option), toHelpText(option)] as const,
  );
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    command.summary,
    '',
    paint('bold', 'Usage'),
    `  isola ${command.name}${command.positionals === '' ? '' : ` ${command.positionals}`} [options]`,
    '',
    paint('bold', 'Options'),
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
    '',
    paint('bold', 'Examples'),
    ...command.examples.flatMap(({ line, does }) => [`  ${line}`, `      ${does}`]),
  ].join('\n');
}

const HELP_OPTION: Option = { type: 'boolean', short: 'h', help: 'Show this text' };

function toFlag(name: string, option: Option): string {
  const value = option.type === 'boolean' ? '' : ` ${option.value}`;
  return `--${name}${value}${option.short === undefined ? '' : `, -${option.short}`}`;
}

function toHelpText(option: Option): string {
  const fixed = option.type === 'boolean' ? undefined : option.default;
  const shown = option.defaultText ?? (fixed === undefined ? undefined : String(fixed));
  return shown === undefined ? option.help : `${option.help} (default: ${shown})`;
}
