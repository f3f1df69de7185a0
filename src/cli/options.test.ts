import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { toCommandHelp } from './help.ts';
import {
  chooseCommand,
  type Command,
  defineCommand,
  onlyArgument,
  parseCommandLine,
  suggest,
  UsageError,
} from './options.ts';

const command = defineCommand({
  name: 'sail',
  summary: 'Sail away',
  positionals: '',
  options: {
    port: { type: 'integer', value: 'N', default: 80, min: 0, max: 65_535, help: 'Where to land' },
    crew: { type: 'integer', value: 'N', min: 1, max: 9, defaultText: 'all hands', help: 'How many' },
    flag: { type: 'string', value: 'NAME', default: 'red', pattern: /^[a-z]+$/, allowed: 'a colour', help: 'Which' },
    dry: { type: 'boolean', short: 'd', help: 'Do not get wet' },
  },
  examples: [{ line: 'isola sail --port 1', does: 'Sails' }],
  run: () => Promise.resolve(0),
});

const parse = (...args: string[]) => parseCommandLine(command, args).values;
const failure = (...args: string[]): string => {
  try {
    parse(...args);
  } catch (error) {
    assert.ok(error instanceof UsageError);
    return error.message;
  }
  return assert.fail('was accepted');
};

describe('parseCommandLine()', () => {
  it('gives the defaults', () => {
    assert.deepEqual({ ...parse() }, { port: 80, crew: undefined, flag: 'red', dry: false });
  });

  it('reads --name value, --name=value and short options', () => {
    assert.deepEqual(
      { ...parse('--port', '1', '--flag=blue', '-d') },
      { port: 1, crew: undefined, flag: 'blue', dry: true },
    );
  });

  it('takes an integer at either end of its range, and nothing past it', () => {
    assert.equal(parse('--port', '0').port, 0);
    assert.equal(parse('--port', '65535').port, 65_535);
    for (const value of ['65536', '-1', '1.5', '1e3', 'x', '']) {
      assert.equal(failure(`--port=${value}`), `Cannot use --port ${value}: must be an integer from 0 to 65535`);
    }
    assert.equal(failure('--crew', '0'), 'Cannot use --crew 0: must be an integer from 1 to 9');
  });

  it('names the option, the value and what is allowed when a text does not fit', () => {
    assert.equal(failure('--flag', '4'), "Cannot use --flag '4': must be a colour");
  });

  it('names an unknown option and the one that was meant', () => {
    assert.equal(failure('--prot', '1'), 'Unknown option --prot of isola sail. Did you mean --port?');
    assert.equal(failure('--xyzzy'), 'Unknown option --xyzzy of isola sail. See isola sail --help');
    assert.equal(failure('--constructor'), 'Unknown option --constructor of isola sail. See isola sail --help');
  });

  it('misses a value, and does not take the next option for one', () => {
    assert.equal(failure('--port'), '--port needs a value: isola sail --port N');
    assert.equal(failure('--flag', '--dry'), '--flag needs a value: isola sail --flag NAME');
    assert.equal(failure('--dry=1'), "--dry takes no value, got '1'");
  });

  it('refuses arguments where there are none', () => {
    assert.equal(failure('east'), "isola sail takes no arguments, got 'east'");
  });

  it('gives way to --help and -h wherever they stand', () => {
    assert.equal(parseCommandLine(command, ['--port', '1', '-h']).help, true);
    assert.equal(parseCommandLine(command, ['--help', '--nonsense']).help, true);
  });
});

describe('toCommandHelp()', () => {
  it('shows every option with its default, and the examples', () => {
    const text = toCommandHelp(command);
    assert.match(text, /--port N +Where to land \(default: 80\)/);
    assert.match(text, /--crew N +How many \(default: all hands\)/);
    assert.match(text, /--dry, -d +Do not get wet/);
    assert.match(text, /--help, -h/);
    assert.match(text, /isola sail --port 1\n +Sails/);
  });
});

describe('suggest()', () => {
  it('finds a slip of the fingers and a beginning, and nothing else', () => {
    const known = ['serve', 'start', 'control-port'];
    assert.equal(suggest('srve', known), 'serve');
    assert.equal(suggest('satrt', known), 'start');
    assert.equal(suggest('contr', known), 'control-port');
    assert.equal(suggest('bake', known), undefined);
  });
});

describe('chooseCommand()', () => {
  const group = { name: 'account', summary: '', commands: [make('account create'), make('account list')] };

  it('takes the word behind the group, and gives the rest', () => {
    const { command, rest } = chooseCommand(group, ['list', '--json']);
    assert.deepEqual([command.name, rest], ['account list', ['--json']]);
  });

  it('says what there is, or what was meant', () => {
    assert.throws(() => chooseCommand(group, []), /isola account what\? There are: create, list/);
    assert.throws(
      () => chooseCommand(group, ['lsit']),
      /Unknown command 'account lsit'. Did you mean isola account list/,
    );
  });
});

describe('onlyArgument()', () => {
  it('wants one, and not none or two', () => {
    const command = { name: 'account create', positionals: '<id>' };
    assert.equal(onlyArgument(command, ['acme']), 'acme');
    for (const wrong of [[], [''], ['a', 'b']]) {
      assert.throws(() => onlyArgument(command, wrong), /takes one argument: isola account create <id>/);
    }
  });
});

function make(name: string): Command {
  return { name, summary: '', positionals: '', options: {}, examples: [], run: async () => 0 };
}
