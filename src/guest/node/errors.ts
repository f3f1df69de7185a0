/** Errors as Node has them: a `code`, and messages that name the argument, what it should be and what came. */
import { inspect } from '../core.ts';

type ErrorType = new (message: string) => Error;

export function nodeError(Type: ErrorType, code: string, message: string): Error & { code: string } {
  const error = new Type(message) as Error & { code: string };
  // The stack is made once, with the code in its first line; the name stays the plain one.
  const { name } = error;
  Object.defineProperty(error, 'name', { value: `${name} [${code}]`, configurable: true, writable: true });
  void error.stack;
  Reflect.deleteProperty(error, 'name');
  error.code = code;
  return error;
}

export function invalidArgType(name: string, expected: string, actual: unknown): TypeError {
  const what = name.endsWith(' argument')
    ? `The ${name}`
    : `The "${name}" ${name.includes('.') ? 'property' : 'argument'}`;
  return nodeError(TypeError, 'ERR_INVALID_ARG_TYPE', `${what} must be ${expected}. Received ${describe(actual)}`);
}

export function invalidArgValue(name: string, value: unknown, reason = 'is invalid'): TypeError {
  const kind = name.includes('.') ? 'property' : 'argument';
  const shown = inspect(value);
  const text = shown.length > 128 ? `${shown.slice(0, 128)}...` : shown;
  return nodeError(TypeError, 'ERR_INVALID_ARG_VALUE', `The ${kind} '${name}' ${reason}. Received ${text}`);
}

export function outOfRange(name: string, range: string, received: unknown): RangeError {
  const shown =
    (typeof received === 'number' && Number.isInteger(received) && Math.abs(received) > 2 ** 32) ||
    (typeof received === 'bigint' && (received > 2n ** 32n || received < -(2n ** 32n)))
      ? withSeparators(String(received)) + (typeof received === 'bigint' ? 'n' : '')
      : inspect(received);
  return nodeError(
    RangeError,
    'ERR_OUT_OF_RANGE',
    `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`,
  );
}

export function notAvailable(what: string): Error {
  return nodeError(Error, 'ERR_METHOD_NOT_IMPLEMENTED', `${what} is not available here`);
}

function withSeparators(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, '_');
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value === 'object') {
    const { constructor } = value as { constructor?: { name?: unknown } };
    return typeof constructor?.name === 'string' && constructor.name !== ''
      ? `an instance of ${constructor.name}`
      : inspect(value, -1);
  }
  const shown = inspect(value);
  return `type ${typeof value} (${shown.length > 28 ? `${shown.slice(0, 25)}...` : shown})`;
}

export function checkFunction(value: unknown, name: string): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidArgType(name, 'of type function', value);
}

export function checkString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}

export function checkNumber(value: unknown, name: string, min?: number, max?: number): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if ((min !== undefined && value < min) || (max !== undefined && value > max) || Number.isNaN(value)) {
    const range = [min === undefined ? '' : `>= ${min}`, max === undefined ? '' : `<= ${max}`].filter(
      (part) => part !== '',
    );
    throw outOfRange(name, range.join(' && '), value);
  }
}

export function checkInteger(
  value: unknown,
  name: string,
  min = Number.MIN_SAFE_INTEGER,
  max = Number.MAX_SAFE_INTEGER,
): asserts value is number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
}
