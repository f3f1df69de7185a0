/** `node:assert`. Deep comparison is util's; a difference is shown line by line, as plainly as Node's simple case. */
import { invalidArgType, nodeError } from './errors.ts';
import { isDeepEqual } from './util/compare.ts';
import { inspect } from './util/inspect.ts';
import { types } from './util/types.ts';

type Thrower = (this: void, ...args: never[]) => unknown;
interface Failure {
  readonly message?: unknown;
  readonly actual?: unknown;
  readonly expected?: unknown;
  readonly operator?: string | undefined;
  readonly stackStartFn?: Thrower;
}

const HEADS: Readonly<Record<string, string>> = {
  strictEqual: 'Expected values to be strictly equal:',
  strictEqualObject: 'Expected "actual" to be reference-equal to "expected":',
  deepStrictEqual: 'Expected values to be strictly deep-equal:',
  deepEqual: 'Expected values to be loosely deep-equal:',
  notStrictEqual: 'Expected "actual" to be strictly unequal to:',
  notStrictEqualObject: 'Expected "actual" not to be reference-equal to "expected":',
  notDeepStrictEqual: 'Expected "actual" not to be strictly deep-equal to:',
  notDeepEqual: 'Expected "actual" not to be loosely deep-equal to:',
  notIdentical: 'Values have same structure but are not reference-equal:',
  partialDeepStrictEqual: 'Expected values to be partially and strictly deep-equal:',
};
const MAX_DIFF_LINES = 200; // of each side; the comparison of lines takes their product

class AssertionError extends Error {
  readonly generatedMessage: boolean;
  readonly code = 'ERR_ASSERTION';
  readonly actual: unknown;
  readonly expected: unknown;
  readonly operator: string | undefined;

  constructor(options: Failure) {
    if (typeof options !== 'object' || options === null) throw invalidArgType('options', 'of type object', options);
    const { message, actual, expected, operator, stackStartFn } = options;
    super(message === undefined || message === null ? createMessage(actual, expected, operator) : String(message));
    this.generatedMessage = message === undefined || message === null;
    Object.defineProperty(this, 'name', {
      value: 'AssertionError [ERR_ASSERTION]',
      writable: true,
      configurable: true,
    });
    this.actual = actual;
    this.expected = expected;
    this.operator = operator;
    Error.captureStackTrace(this, stackStartFn ?? AssertionError);
    void this.stack;
    this.name = 'AssertionError';
  }

  override toString(): string {
    return `${this.name} [${this.code}]: ${this.message}`;
  }
}

function show(value: unknown): string {
  return inspect(value, { depth: 1000, customInspect: false });
}

function createMessage(actual: unknown, expected: unknown, operator: string | undefined): string {
  const [left, right] = [show(actual), show(expected)];
  switch (operator) {
    case '==':
    case '!=':
    case undefined:
      return `${clip(left)} ${operator ?? 'undefined'} ${clip(right)}`;
    case 'notStrictEqual':
    case 'notDeepStrictEqual':
    case 'notDeepEqual': {
      const isObject = typeof actual === 'object' && actual !== null;
      const head = HEADS[operator === 'notStrictEqual' && isObject ? 'notStrictEqualObject' : operator]!;
      const lines = left.split('\n');
      return lines.length === 1 ? `${head}${left.length > 5 ? '\n\n' : ' '}${left}` : `${head}\n\n${left}\n`;
    }
    default:
      return compareText({ left, right, actual, expected, operator });
  }
}

function compareText(shown: {
  left: string;
  right: string;
  actual: unknown;
  expected: unknown;
  operator: string;
}): string {
  const { left, right, actual, expected, operator } = shown;
  const areObjects = typeof actual === 'object' && actual !== null && typeof expected === 'object' && expected !== null;
  if (left === right && areObjects && operator === 'strictEqual') return `${HEADS['notIdentical']}\n\n${left}\n`;
  const head =
    HEADS[operator === 'strictEqual' && areObjects ? 'strictEqualObject' : operator] ?? HEADS['deepStrictEqual']!;
  const isSimple = !left.includes('\n') && !right.includes('\n') && !areObjects && left !== right;
  if (isSimple && left.length + right.length < 12 && (actual !== 0 || expected !== 0)) {
    return `${head}\n\n${left} !== ${right}\n`;
  }
  return `${head}\n${isSimple ? '' : '+ actual - expected\n'}\n${diff(left.split('\n'), right.split('\n'))}\n`;
}

/** Lines of both, by their longest common subsequence. */
function diff(a: readonly string[], b: readonly string[]): string {
  const left = a.slice(0, MAX_DIFF_LINES);
  const right = b.slice(0, MAX_DIFF_LINES);
  const width = right.length + 1;
  const common = new Uint16Array((left.length + 1) * width);
  const same = (x: string, y: string): boolean => x === y || x.replace(/,$/, '') === y.replace(/,$/, '');
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      common[i * width + j] = same(left[i]!, right[j]!)
        ? common[(i + 1) * width + j + 1]! + 1
        : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && same(left[i]!, right[j]!)) {
      lines.push(`  ${left[i]!}`);
      i++;
      j++;
    } else if (i < left.length && (j >= right.length || common[(i + 1) * width + j]! >= common[i * width + j + 1]!)) {
      lines.push(`+ ${left[i++]!}`);
    } else lines.push(`- ${right[j++]!}`);
  }
  return lines.join('\n');
}

function clip(text: string): string {
  return text.length > 128 ? `${text.slice(0, 128)}...` : text;
}

/** `otherwise`: what is said when the caller gave no message. */
function fail(failure: Failure, otherwise?: string): never {
  const { message } = failure;
  if (types['isNativeError']!(message) || message instanceof Error) throw message as Error;
  const isGenerated = message === undefined || message === null;
  throw markGenerated(new AssertionError({ ...failure, message: message ?? otherwise }), isGenerated);
}

type Compare = (actual: unknown, expected: unknown) => boolean;

/** An assertion of two values, by whether they pass. */
function binary(operator: string, passes: Compare): Thrower {
  const assertion = (...args: unknown[]): void => {
    const [actual, expected, message] = args;
    if (args.length < 2) {
      throw nodeError(TypeError, 'ERR_MISSING_ARGS', 'The "actual" and "expected" arguments must be specified');
    }
    if (!passes(actual, expected)) fail({ actual, expected, message, operator, stackStartFn: assertion });
  };
  return assertion;
}

// oxlint-disable-next-line eqeqeq -- what `assert.equal` is for
const looseEqual: Compare = (a, b) => a == b || (Number.isNaN(a) && Number.isNaN(b));

function ok(...args: unknown[]): void {
  const [value, message] = args;
  if (value) return;
  const text =
    args.length === 0
      ? 'No value argument passed to `assert.ok()`'
      : (message ?? 'The expression evaluated to a falsy value');
  fail({ actual: value, expected: true, message: text, operator: '==', stackStartFn: ok });
}

type Expected = Thrower | RegExp | object | undefined;

/** Whether what was thrown is what was expected: a class, a pattern, a function or an object. Throws when it is not. */
function checkThrown(thrown: unknown, expected: Expected, message: unknown, by: Thrower): void {
  if (expected === undefined) return;
  const base = { actual: thrown, expected, operator: by.name, stackStartFn: by };
  if (types['isRegExp']!(expected)) {
    if ((expected as RegExp).test(String(thrown))) return;
    fail(
      { ...base, message },
      `The input did not match the regular expression ${show(expected)}. Input:\n\n${show(String(thrown))}\n`,
    );
  }
  if (typeof expected !== 'function') {
    const wanted = expected as Record<string, unknown>;
    const keys = Object.keys(wanted);
    if (expected instanceof Error) keys.push('name', 'message');
    const compared = thrown as Record<string, unknown>;
    for (const key of keys) {
      const [is, should] = [compared?.[key], wanted[key]];
      if (typeof is === 'string' && types['isRegExp']!(should) && (should as RegExp).test(is)) continue;
      if (Object(thrown) === thrown && key in compared && isDeepEqual(is, should)) continue;
      const pick = (source: Record<string, unknown>): object =>
        Object.fromEntries(
          keys.filter((name) => Object(source) === source && name in source).map((name) => [name, source[name]]),
        );
      const text = compareText({
        left: show(pick(compared)),
        right: show(pick(wanted)),
        actual: {},
        expected: {},
        operator: 'deepStrictEqual',
      });
      fail({ ...base, message }, text);
    }
    return;
  }
  const type = expected as unknown as (value: unknown) => unknown;
  if (expected.prototype !== undefined && thrown instanceof type) return;
  if (Error.isPrototypeOf(expected) || expected === (Error as unknown)) {
    fail(
      { ...base, message },
      `The error is expected to be an instance of "${expected.name}". Received ${show(thrown)}`,
    );
  }
  if (Reflect.apply(type, {}, [thrown]) === true) return;
  const name = expected.name === '' ? '' : `"${expected.name}" `;
  fail(
    { ...base, message },
    `The ${name}validation function is expected to return "true". Received ${show(Reflect.apply(type, {}, [thrown]))}`,
  );
}

function splitExpected(expected: unknown, message: unknown): { expected: Expected; message: unknown } {
  return typeof expected === 'string'
    ? { expected: undefined, message: expected }
    : { expected: expected as Expected, message };
}

function missingException(expected: Expected, message: unknown, by: Thrower): never {
  const type = typeof expected === 'function' && expected.name !== '' ? ` (${expected.name})` : '';
  const kind = by === rejects ? 'rejection' : 'exception';
  const text = `Missing expected ${kind}${type}${message === undefined ? '.' : `: ${String(message)}`}`;
  return fail({
    actual: undefined,
    expected,
    operator: by.name,
    message: message instanceof Error ? message : text,
    stackStartFn: by,
  });
}

function throws(fn: unknown, ...rest: unknown[]): void {
  if (typeof fn !== 'function') throw invalidArgType('fn', 'of type function', fn);
  const { expected, message } = splitExpected(rest[0], rest[1]);
  let thrown: { value: unknown } | undefined;
  try {
    Reflect.apply(fn, undefined, []);
  } catch (error) {
    thrown = { value: error };
  }
  if (thrown === undefined) missingException(expected, message, throws);
  checkThrown(thrown.value, expected, message, throws);
}

async function settle(promise: unknown): Promise<{ value: unknown } | undefined> {
  const awaited: unknown = typeof promise === 'function' ? Reflect.apply(promise, undefined, []) : promise;
  if (typeof (awaited as PromiseLike<unknown> | undefined)?.then !== 'function') {
    if (typeof promise === 'function') {
      throw nodeError(
        TypeError,
        'ERR_INVALID_RETURN_VALUE',
        `Expected instance of Promise to be returned from the "promiseFn" function but got ${show(awaited)}.`,
      );
    }
    throw invalidArgType('promiseFn', 'of type function or an instance of Promise', promise);
  }
  try {
    await awaited;
    return undefined;
  } catch (error) {
    return { value: error };
  }
}

async function rejects(promise: unknown, ...rest: unknown[]): Promise<void> {
  const { expected, message } = splitExpected(rest[0], rest[1]);
  const thrown = await settle(promise);
  if (thrown === undefined) missingException(expected, message, rejects);
  checkThrown(thrown.value, expected, message, rejects);
}

function unwanted(thrown: { value: unknown }, message: unknown, by: Thrower): never {
  const kind = by === doesNotReject ? 'rejection' : 'exception';
  const text = (thrown.value as { message?: unknown } | undefined)?.message;
  const tail = message === undefined ? '.' : `: ${String(message)}`;
  return fail({
    actual: thrown.value,
    operator: by.name,
    message: `Got unwanted ${kind}${tail}\nActual message: "${String(text)}"`,
    stackStartFn: by,
  });
}

function doesNotThrow(fn: unknown, ...rest: unknown[]): void {
  if (typeof fn !== 'function') throw invalidArgType('fn', 'of type function', fn);
  try {
    Reflect.apply(fn, undefined, []);
  } catch (error) {
    unwanted({ value: error }, splitExpected(rest[0], rest[1]).message, doesNotThrow);
  }
}

async function doesNotReject(promise: unknown, ...rest: unknown[]): Promise<void> {
  const thrown = await settle(promise);
  if (thrown !== undefined) unwanted(thrown, splitExpected(rest[0], rest[1]).message, doesNotReject);
}

function ifError(value: unknown): void {
  if (value === null || value === undefined) return;
  const { message, constructor } = value as { message?: unknown; constructor: { name: string } };
  const text = typeof message === 'string' ? (message === '' ? constructor.name : message) : inspect(value);
  fail({
    actual: value,
    expected: null,
    operator: 'ifError',
    message: `ifError got unwanted exception: ${text}`,
    stackStartFn: ifError,
  });
}

function matching(operator: 'doesNotMatch' | 'match', wanted: boolean): Thrower {
  const assertion = (text: unknown, pattern: unknown, message?: unknown): void => {
    if (!types['isRegExp']!(pattern)) throw invalidArgType('regexp', 'an instance of RegExp', pattern);
    if (typeof text === 'string' && (pattern as RegExp).test(text) === wanted) return;
    const what = wanted
      ? 'The input did not match the regular expression'
      : 'The input was expected to not match the regular expression';
    const generated =
      typeof text === 'string'
        ? `${what} ${show(pattern)}. Input:\n\n${show(text)}\n`
        : `The "string" argument must be of type string. Received type ${typeof text} (${show(text)})`;
    fail({ actual: text, expected: pattern, message, operator, stackStartFn: assertion }, generated);
  };
  return assertion;
}

function failWith(message?: unknown): never {
  if (message instanceof Error) throw message;
  const failure = { message: message ?? 'Failed', operator: 'fail', stackStartFn: failWith };
  throw markGenerated(new AssertionError(failure), message === undefined);
}

/** A text of ours, made before the error was. */
function markGenerated(error: AssertionError, isGenerated: boolean): AssertionError {
  return isGenerated ? Object.assign(error, { generatedMessage: true }) : error;
}

const common = {
  AssertionError,
  deepStrictEqual: binary('deepStrictEqual', (a, b) => isDeepEqual(a, b)),
  doesNotMatch: matching('doesNotMatch', false),
  doesNotReject,
  doesNotThrow,
  fail: failWith,
  ifError,
  match: matching('match', true),
  notDeepStrictEqual: binary('notDeepStrictEqual', (a, b) => !isDeepEqual(a, b)),
  notStrictEqual: binary('notStrictEqual', (a, b) => !Object.is(a, b)),
  ok,
  partialDeepStrictEqual: binary('partialDeepStrictEqual', (a, b) => isDeepEqual(a, b, 'partial')),
  rejects,
  strictEqual: binary('strictEqual', (a, b) => Object.is(a, b)),
  throws,
};
const { deepStrictEqual, notDeepStrictEqual, strictEqual, notStrictEqual } = common;

export const strict: object = Object.assign((...args: unknown[]): void => ok(...args), common, {
  deepEqual: deepStrictEqual,
  equal: strictEqual,
  notDeepEqual: notDeepStrictEqual,
  notEqual: notStrictEqual,
});

export const assert: object = Object.assign((...args: unknown[]): void => ok(...args), common, {
  deepEqual: binary('deepEqual', (a, b) => isDeepEqual(a, b, 'loose')),
  equal: binary('==', looseEqual),
  notDeepEqual: binary('notDeepEqual', (a, b) => !isDeepEqual(a, b, 'loose')),
  notEqual: binary('!=', (a, b) => !looseEqual(a, b)),
  strict,
});
Object.assign(strict, { strict });
