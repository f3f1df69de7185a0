/**
 * Command lines: declared once per command, parsed into typed values, and the source of `--help`.
 *
 * `node:util`'s parseArgs does the splitting; what it lacks is here: numbers with ranges, a message that names the
 * option, the value and the allowed range, and suggestions for a misspelt option.
 */
import { parseArgs } from 'node:util';

interface OptionBase {
  readonly help: string;
  readonly short?: string;
  /** Shown in the help where the default is not a constant, e.g. `cores − 1`. */
  readonly defaultText?: string;
}

export interface BooleanOption extends OptionBase {
  readonly type: 'boolean';
}

export interface StringOption extends OptionBase {
  readonly type: 'string';
  /** What stands for the value in the help, e.g. `DIR`. */
  readonly value: string;
  readonly default?: string;
  /** May be given several times: the value is a list. */
  readonly multiple?: true;
  /** What a value must look like, and how the error message says so. */
  readonly pattern?: RegExp;
  readonly allowed?: string;
}

export interface IntegerOption extends OptionBase {
  readonly type: 'integer';
  readonly value: string;
  readonly default?: number;
  readonly min: number;
  readonly max: number;
}

export type Option = BooleanOption | StringOption | IntegerOption;
export type Options = Readonly<Record<string, Option>>;

type ValueOf<O extends Option> = O extends BooleanOption
  ? boolean
  : O extends { multiple: true }
    ? readonly string[]
    : O extends { default: infer D }
      ? D extends number
        ? number
        : string
      : (O extends IntegerOption ? number : string) | undefined;

export type Values<O extends Options> = { readonly [K in keyof O]: ValueOf<O[K]> };

export interface Command<O extends Options = Options> {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Positional arguments as the help shows them, e.g. `<worker.ts>`. Empty: takes none. */
  readonly positionals: string;
  readonly options: O;
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** Resolves to the exit code. */
  run(values: Values<O>, positionals: readonly string[]): Promise<number>;
}

/** Commands about one thing: `isola account create`. Each carries its whole name, `account create`. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Command[];
}

/** The command line is wrong: the user's to mend. Exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command of a group that the arguments begin with, and the arguments behind its name. */
export function chooseCommand(
  { name, commands }: CommandGroup,
  [word = '', ...rest]: readonly string[],
): { command: Command; rest: readonly string[] } {
  const command = commands.find((candidate) => candidate.name === `${name} ${word}`);
  if (command !== undefined) return { command, rest };
  const words = commands.map((candidate) => candidate.name.slice(name.length + 1));
  const guess = suggest(word, words);
  const hint = guess === undefined ? `There are: ${words.join(', ')}` : `Did you mean isola ${name} ${guess}?`;
  throw new UsageError(`${word === '' ? `isola ${name} what?` : `Unknown command '${name} ${word}'.`} ${hint}`);
}

/** The only argument of a command that takes one. */
export function onlyArgument(command: Pick<Command, 'name' | 'positionals'>, positionals: readonly string[]): string {
  const [argument, ...more] = positionals;
  if (argument !== undefined && argument !== '' && more.length === 0) return argument;
  throw new UsageError(`isola ${command.name} takes one argument: isola ${command.name} ${command.positionals}`);
}

/** Ties a command's `run` to the types of its options. */
export function defineCommand<const O extends Options>(command: Command<O>): Command<O> {
  return command;
}

/**
 * Parses the arguments after the command's name. Throws UsageError. `help` is asked for by `--help` or `-h` anywhere.
 */
export function parseCommandLine<O extends Options>(
  command: Command<O>,
  args: readonly string[],
): { help: boolean; values: Values<O>; positionals: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: toNodeOptions(command.options),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: Record<string, unknown> = {};
  for (const [name, option] of Object.entries(command.options)) {
    if (option.type === 'boolean') values[name] = false;
    else values[name] = option.type === 'string' && option.multiple === true ? [] : option.default;
  }
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') return { help: true, values: values as Values<O>, positionals };
    const option = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
    if (option === undefined) throw unknownOption(command, token.rawName);
    const value = parseValue(command, token.name, option, token.value);
    const isMultiple = option.type === 'string' && option.multiple === true;
    values[token.name] = isMultiple ? [...(values[token.name] as string[]), value] : value;
  }
  if (command.positionals === '' && positionals.length > 0) {
    throw new UsageError(`isola ${command.name} takes no arguments, got '${positionals[0]}'`);
  }
  return { help: false, values: values as Values<O>, positionals };
}

/** The known name nearest to `name`, if any is near enough to be a slip. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const scored = known.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }));
  scored.sort((a, b) => a.distance - b.distance);
  const best = scored[0];
  const prefix = known.find((candidate) => name.length > 1 && candidate.startsWith(name));
  if (best !== undefined && best.distance <= Math.max(1, Math.floor(name.length / 3))) return best.candidate;
  return prefix;
}

function parseValue(command: Command, name: string, option: Option, value: string | undefined): unknown {
  if (option.type === 'boolean') {
    if (value === undefined) return true;
    throw new UsageError(`--${name} takes no value, got '${value}'`);
  }
  // parseArgs in loose mode takes `--port --json` as a port called "--json"; nobody means that.
  if (value === undefined || value.startsWith('--')) {
    throw new UsageError(`--${name} needs a value: isola ${command.name} --${name} ${option.value}`);
  }
  if (option.type === 'integer') {
    const number = Number(value);
    if (!/^-?\d+$/.test(value) || number < option.min || number > option.max) {
      const range = `an integer from ${option.min} to ${option.max}`;
      throw new UsageError(`Cannot use --${name} ${value}: must be ${range}`);
    }
    return number;
  }
  if (value === '' || (option.pattern !== undefined && !option.pattern.test(value))) {
    throw new UsageError(`Cannot use --${name} '${value}': must be ${option.allowed ?? 'a non-empty text'}`);
  }
  return value;
}

function unknownOption(command: Command, rawName: string): UsageError {
  const guess = suggest(rawName.replace(/^-+/, ''), [...Object.keys(command.options), 'help']);
  const hint = guess === undefined ? `See isola ${command.name} --help` : `Did you mean --${guess}?`;
  return new UsageError(`Unknown option ${rawName} of isola ${command.name}. ${hint}`);
}

function toNodeOptions(options: Options): Record<string, { type: 'boolean' | 'string'; short?: string }> {
  const result: Record<string, { type: 'boolean' | 'string'; short?: string }> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const [name, option] of Object.entries(options)) {
    const type = option.type === 'boolean' ? 'boolean' : 'string';
    result[name] = option.short === undefined ? { type } : { type, short: option.short };
  }
  return result;
}

/** Levenshtein's distance, where two neighbours swapped (`--prot`) count as one slip. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
